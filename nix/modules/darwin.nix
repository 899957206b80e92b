# fleetctl on nix-darwin: services.fleetctl-agent for hosts, programs.fleetctl for operators.
#
# launchd passes sockets only to programs that call its C library, so the agent creates its own
# socket and keeps running. It runs as the user "nobody". On macOS, a file inherits the group of its
# directory: this is how the socket gets its group, since the sudo of macOS cannot set it.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  user = "nobody"; # english:ignore the name of a user
  cfg = config.services.fleetctl-agent;
  command = import ./agent-command.nix {
    inherit lib cfg;
    options = options.services.fleetctl-agent;
  };
  machine = import ./system-agent.nix {
    inherit lib cfg;
    run = "/var/run"; # nix-darwin links /run to it, but an update of macOS may remove the link
  };
in
{
  imports = [
    ./maintainers.nix
    ./operator.nix
  ];

  options.services.fleetctl-agent = import ./agent-options.nix { inherit lib pkgs; } // {
    inherit (machine.options) socket;

    group = lib.mkOption {
      type = lib.types.strMatching "[a-z_][a-z0-9_-]{0,30}";
      default = "staff";
      example = "admin";
      description = "Group whose members may connect to the agent. It must exist. `staff` contains all users with an account.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = command.assertions ++ machine.assertions;

    environment.systemPackages = [ cfg.package ]; # for fleetctl check --local and the manual page

    launchd.daemons.fleetctl-agent = {
      script = ''
        /usr/bin/install -d -o ${user} -g ${lib.escapeShellArg cfg.group} -m 0755 ${lib.escapeShellArg (dirOf cfg.socket)}
        exec /usr/bin/sudo -n -u ${user} ${
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
