# The options of services.fleetctl-agent on a machine (NixOS, nix-darwin), where the agent is there for several users; and
# what is wrong with them.
{
  lib,
  cfg,
  run ? "/run", # what is empty at every boot, and only root fills
}:
let
  inherit (lib) mkOption types;

  # Groups that everybody is in, or that say nothing about operators.
  tooWide = [
    "root"
    "users"
    "nogroup"
    "nixbld"
  ];
  others = lib.last (lib.stringToCharacters cfg.socketMode); # NixOS alone has the option
in
{
  options = {
    socket = mkOption {
      type = types.strMatching "/[^[:space:]%]{1,98}";
      default = "${run}/fleetctl-agent/agent.sock";
      example = "${run}/fleetctl/health.sock";
      description = ''
        Where the agent's socket is. An operator's `fleetctl` looks at the default; another place is for other readers.
      '';
    };

    socketMode = mkOption {
      type = types.strMatching "0[0-7]{3}";
      default = "0660";
      example = "0600";
      description = "The socket's file mode. Whoever may write to the socket may ask.";
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
        empty at every boot and which nobody but root fills.
      '';
    }
    {
      assertion = !lib.elem cfg.group tooWide;
      message = ''
        services.fleetctl-agent.group is "${cfg.group}", which does not tell operators from others: give it a group of
        its own.
      '';
    }
  ];

  warnings = lib.optional (others != "0") ''
    services.fleetctl-agent.socketMode is "${cfg.socketMode}": every user and service of this host may ask the agent.
    services.fleetctl-agent.group lets operators in.
  '';
}
