# fleetctl on NixOS: services.fleetctl-agent for hosts, programs.fleetctl for operators.
#
# The units are the package's (nix/fleetctl-agent.service and .socket), sandbox and all: this adds what options change.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  cfg = config.services.fleetctl-agent;
  command = import ./agent-command.nix {
    inherit lib cfg;
    options = options.services.fleetctl-agent;
  };
  machine = import ./system-agent.nix { inherit lib cfg; };
  ports = lib.filter (s: s != "" && !lib.hasPrefix "/" s) (
    config.systemd.sockets.fleetctl-agent.listenStreams or [ ]
  );
in
{
  imports = [ ./operator.nix ];

  options.services.fleetctl-agent =
    import ./agent-options.nix { inherit lib pkgs; }
    // machine.options
    // {
      group = lib.mkOption {
        type = lib.types.strMatching "[a-z_][a-z0-9_-]{0,30}";
        default = "fleetctl";
        example = "operators";
        description = "The group that may ask the agent. It is made where it is not there.";
      };

      operators = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        example = [ "mba" ];
        description = "Users who may ask the agent: they become members of {option}`group`.";
      };

      idle = lib.mkOption {
        type = lib.types.ints.between 0 86400;
        default = 30;
        example = 300;
        description = "The agent leaves when nobody was connected for so many seconds, until the next who asks. 0 lets it stay.";
      };
    };

  config = lib.mkIf cfg.enable {
    assertions = command.assertions ++ machine.assertions;
    warnings =
      machine.warnings
      ++ lib.optional (ports != [ ]) ''
        systemd.sockets.fleetctl-agent listens at ${lib.concatStringsSep ", " ports}: the agent answers on a unix socket
        alone, and will not start. Operators reach it through SSH.
      '';

    users.groups = lib.mkMerge [
      { ${cfg.group}.members = cfg.operators; }
      { fleetctl-agent = { }; }
    ];
    # As fleetctl-agent.sysusers has it.
    users.users.fleetctl-agent = {
      isSystemUser = true;
      group = "fleetctl-agent";
      description = "fleetctl agent";
    };

    systemd.packages = [ cfg.package ];
    environment.systemPackages = [ cfg.package ]; # for fleetctl check --local, and the manual

    systemd.sockets.fleetctl-agent = {
      wantedBy = [ "sockets.target" ];
      # The first, empty one takes the package's away.
      listenStreams = lib.mkIf (cfg.socket != "/run/fleetctl-agent/agent.sock") [
        ""
        cfg.socket
      ];
      socketConfig = {
        SocketGroup = cfg.group;
        SocketMode = cfg.socketMode;
      };
    };

    systemd.services.fleetctl-agent = {
      enableDefaultPath = false; # it starts no program
      serviceConfig.ExecStart = lib.mkIf (command.flags != [ ]) [
        ""
        (toString command.words)
      ];
    };
  };
}
