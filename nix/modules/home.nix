# fleetctl for home-manager: services.fleetctl-agent for a host that is a home, programs.fleetctl for operators.
#
# A user's own manager cannot build the sandbox of a system's unit. What it can, it does: no network, no other system calls.
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
  # The machine that the home is on may be a NixOS host, which is not this agent's to tell of.
  words = command.words ++ [
    "--kind"
    "home"
  ];
  cfg = config.programs.fleetctl;
  operator = import ./operator-options.nix {
    inherit lib pkgs cfg;
    whose = "They are the user's own.";
  };
  linux = pkgs.stdenv.hostPlatform.isLinux;
in
{
  options = {
    services.fleetctl-agent = import ./agent-options.nix { inherit lib pkgs; };
    programs.fleetctl = operator.options;
  };

  config = lib.mkMerge [
    (lib.mkIf agent.enable {
      inherit (command) assertions;

      home.packages = [ agent.package ]; # for fleetctl check --local, and the manual

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
            ExecStart = toString words;
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

      # launchd hands sockets over to programs that call its C library alone, so the agent makes its own and stays.
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
      # home-manager makes one text of all its options for ssh.
      warnings = operator.sshWarnings {
        file = "~/.ssh/config";
        text = config.home.file.".ssh/config".text or null;
      };
      # Completions and the manual page are the package's.
      home.packages = [ cfg.package ];
      xdg.configFile = lib.mkMerge [
        (lib.mkIf (operator.file != null) { "fleetctl/hosts.toml".source = operator.file; })
        (lib.mkIf (operator.configFile != null) { "fleetctl/config.toml".source = operator.configFile; })
      ];
    })
  ];
}
