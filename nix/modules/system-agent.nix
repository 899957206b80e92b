# Options of services.fleetctl-agent on a machine (NixOS, nix-darwin), whose agent serves several
# users, and checks of their values.
{
  lib,
  cfg,
  run ? "/run", # a directory that is empty after a boot and writable only by root
}:
let
  inherit (lib) mkOption types;

  # Groups that contain all users or have nothing to do with operators.
  broadGroups = [
    "root"
    "users"
    "nogroup"
    "nixbld"
  ];
  others = lib.last (lib.stringToCharacters cfg.socketMode); # the option exists only on NixOS
in
{
  options = {
    socket = mkOption {
      type = types.strMatching "/[^[:space:]%]{1,98}";
      default = "${run}/fleetctl-agent/agent.sock";
      defaultText = lib.literalExpression ''"${run}/fleetctl-agent/agent.sock"'';
      example = "${run}/fleetctl-agent/health.sock";
      description = ''
        Path of the agent's socket. `fleetctl` uses only the default path; another one is for other clients.
      '';
    };

    socketMode = mkOption {
      type = types.strMatching "0[0-7]{3}";
      default = "0660";
      example = "0600";
      description = "File mode of the socket. Users who may write to the socket may connect.";
    };
  };

  assertions = [
    {
      assertion =
        lib.hasPrefix "${run}/" cfg.socket
        && dirOf cfg.socket != run
        && !lib.elem ".." (lib.splitString "/" cfg.socket);
      message = ''
        services.fleetctl-agent.socket is "${cfg.socket}": it must be in a directory of its own under ${run}, which is
        empty after a boot and writable only by root.
      '';
    }
    {
      assertion = !lib.elem cfg.group broadGroups;
      message = ''
        services.fleetctl-agent.group is "${cfg.group}", which contains more than operators: use a dedicated group.
      '';
    }
  ];

  warnings = lib.optional (others != "0") ''
    services.fleetctl-agent.socketMode is "${cfg.socketMode}": every user and service of this host may connect to the agent.
    Use services.fleetctl-agent.group to give access to operators.
  '';
}
