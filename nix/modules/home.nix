# fleetctl for home-manager: services.fleetctl-agent for hosts of kind home, programs.fleetctl for
# operators.
#
# systemd's user manager supports only a part of the sandbox of a system unit: no network, a limited
# set of system calls.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  agent = config.services.fleetctl-agent;
  command = import ./agent-command.nix {
    inherit lib;
    cfg = agent;
    options = options.services.fleetctl-agent;
  };
  # The home may be on a NixOS machine, whose health this agent must not report.
  words = command.words ++ [
    "--kind"
    "home"
  ];
  cfg = config.programs.fleetctl;
  operator = import ./operator-options.nix {
    inherit lib pkgs cfg;
    scope = "They apply to this user.";
  };
  linux = pkgs.stdenv.hostPlatform.isLinux;
in
{
  imports = [ ./maintainers.nix ];

  options = {
    services.fleetctl-agent = import ./agent-options.nix { inherit lib pkgs; };
    programs.fleetctl = operator.options;
  };

  config = lib.mkMerge [
    (lib.mkIf agent.enable {
      inherit (command) assertions;

      home.packages = [ agent.package ]; # for fleetctl check --local and the manual page

      systemd.user = lib.mkIf linux {
        sockets.fleetctl-agent = {
          Unit.Description = "Health of this home, for fleetctl";
          Socket = {
            ListenStream = "%t/fleetctl-agent/agent.sock";
            SocketMode = "0600";
            RemoveOnStop = true;
          };
          Install.WantedBy = [ "sockets.target" ];
        };
        services.fleetctl-agent = {
          Unit = {
            Description = "Health of this home, for fleetctl";
            Requires = [ "fleetctl-agent.socket" ];
            After = [ "fleetctl-agent.socket" ];
          };
          Service = {
            ExecStart = lib.escapeShellArgs words;
            Environment = [
              "GOMEMLIMIT=20MiB"
              "GOMAXPROCS=1"
            ];
            MemoryMax = "30M";
            TasksMax = 32;
            NoNewPrivileges = true;
            LockPersonality = true;
            MemoryDenyWriteExecute = true;
            RestrictAddressFamilies = "AF_UNIX";
            RestrictRealtime = true;
            RestrictNamespaces = true;
            SystemCallArchitectures = "native";
            SystemCallFilter = [
              "@system-service"
              "~@privileged @resources"
            ];
            SystemCallErrorNumber = "EPERM";
          };
        };
      };

      # launchd passes sockets only to programs that call its C library, so the agent creates its
      # own socket and keeps running.
      launchd.agents.fleetctl-agent = lib.mkIf (!linux) {
        enable = true;
        config = {
          ProgramArguments = words ++ [
            "--socket"
            "${config.xdg.stateHome}/fleetctl/agent.sock"
          ];
          RunAtLoad = true;
          KeepAlive = true;
          ProcessType = "Background";
        };
      };
    })

    (lib.mkIf cfg.enable {
      inherit (operator) assertions;
      # home-manager writes all ssh settings to this file.
      warnings = operator.sshWarnings {
        file = "~/.ssh/config";
        text = config.home.file.".ssh/config".text or null;
      };
      # The package contains completions and the manual page.
      home.packages = [ cfg.package ];
      xdg.configFile = lib.mkMerge [
        (lib.mkIf (operator.file != null) { "fleetctl/hosts.toml".source = operator.file; })
        (lib.mkIf (operator.configFile != null) { "fleetctl/config.toml".source = operator.configFile; })
      ];
    })
  ];
}
