# fleetctl on nix-darwin: services.fleetctl-agent for hosts, programs.fleetctl for operators.
#
# launchd hands sockets over to programs that call its C library alone, so the agent makes its own and stays. It is nobody. Its
# socket has the group of the directory that it is made in, as every file on macOS; macOS's sudo would not give nobody the group.
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
  machine = import ./system-agent.nix {
    inherit lib cfg;
    run = "/var/run"; # /run is nix-darwin's link to it, which an update of macOS can take away
  };
in
{
  imports = [ ./operator.nix ];

  options.services.fleetctl-agent = import ./agent-options.nix { inherit lib pkgs; } // {
    inherit (machine.options) socket;

    group = lib.mkOption {
      type = lib.types.strMatching "[a-z_][a-z0-9_-]{0,30}";
      default = "staff";
      example = "admin";
      description = "The group that may ask the agent. It must be there: `staff` has every person with an account.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = command.assertions ++ machine.assertions;

    environment.systemPackages = [ cfg.package ]; # for fleetctl check --local, and the manual

    launchd.daemons.fleetctl-agent = {
      script = ''
        /usr/bin/install -d -o nobody -g ${lib.escapeShellArg cfg.group} -m 0755 ${lib.escapeShellArg (dirOf cfg.socket)}
        exec /usr/bin/sudo -n -u nobody ${
          lib.escapeShellArgs (
            command.words
            ++ [
              "--socket"
              cfg.socket
            ]
          )
        }
      '';
      serviceConfig = {
        RunAtLoad = true;
        KeepAlive = true;
        ProcessType = "Background";
        StandardErrorPath = "/var/log/fleetctl-agent.log";
      };
    };
  };
}
