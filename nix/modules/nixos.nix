# fleetctl on NixOS: services.fleetctl-agent for hosts, programs.fleetctl for operators.
#
# The package contains the units (nix/fleetctl-agent.service and .socket) including the sandbox.
# This module adds what depends on options.
{
  config,
  lib,
  options,
  pkgs,
  utils,
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
  imports = [
    ./maintainers.nix
    ./operator.nix
  ];

  options.services.fleetctl-agent =
    import ./agent-options.nix { inherit lib pkgs; }
    // machine.options
    // {
      group = lib.mkOption {
        type = lib.types.strMatching "[a-z_][a-z0-9_-]{0,30}";
        default = "fleetctl";
        example = "operators";
        description = "Group whose members may connect to the agent. It is created if it does not exist.";
      };

      operators = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        example = [ "mba" ];
        description = "Users who may connect to the agent. They become members of {option}`group`.";
      };

      idle = lib.mkOption {
        type = lib.types.ints.between 0 86400;
        default = 30;
        example = 300;
        description = "Seconds without a connection after which the agent exits. The next connection starts it again. 0 means never.";
      };
    };

  config = lib.mkIf cfg.enable {
    assertions = command.assertions ++ machine.assertions;
    warnings =
      machine.warnings
      ++ lib.optional (ports != [ ]) ''
        systemd.sockets.fleetctl-agent listens on ${lib.concatStringsSep ", " ports}: the agent supports only unix sockets
        and will not start. Operators reach it through SSH.
      '';

    users.groups = lib.mkMerge [
      { ${cfg.group}.members = cfg.operators; }
      { fleetctl-agent = { }; }
    ];
    # As in fleetctl-agent.sysusers.
    users.users.fleetctl-agent = {
      isSystemUser = true;
      group = "fleetctl-agent";
      description = "fleetctl agent";
    };

    systemd.packages = [ cfg.package ];
    environment.systemPackages = [ cfg.package ]; # for fleetctl check --local and the manual page

    systemd.sockets.fleetctl-agent = {
      wantedBy = [ "sockets.target" ];
      # The empty string removes the socket of the package's unit.
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
      enableDefaultPath = false; # it starts no programs
      serviceConfig.ExecStart = lib.mkIf (command.flags != [ ]) [
        ""
        (utils.escapeSystemdExecArgs command.words)
      ];
    };
  };
}
