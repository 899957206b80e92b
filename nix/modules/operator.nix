# programs.fleetctl on NixOS and nix-darwin: the operator's command, for all users of the machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.fleetctl;
  operator = import ./operator-options.nix {
    inherit lib pkgs cfg;
    scope = "They apply to all users of the machine who have none of their own.";
  };
  # NixOS writes the former, nix-darwin a file in the latter.
  sshConfigs = lib.filterAttrs (
    name: _: name == "ssh/ssh_config" || lib.hasPrefix "ssh/ssh_config.d/" name
  ) config.environment.etc;
in
{
  options.programs.fleetctl = operator.options;

  config = lib.mkIf cfg.enable {
    inherit (operator) assertions;
    warnings = lib.concatLists (
      lib.mapAttrsToList (
        name: etc:
        operator.sshWarnings {
          file = "/etc/${name}";
          text = etc.text or null;
        }
      ) sshConfigs
    );
    environment = {
      # The package contains completions and the manual page.
      systemPackages = [ cfg.package ];
      etc = lib.mkMerge [
        (lib.mkIf (operator.file != null) { "fleetctl/hosts.toml".source = operator.file; })
        (lib.mkIf (operator.configFile != null) {
          "xdg/fleetctl/config.toml".source = operator.configFile;
        })
      ];
      variables = lib.mkIf (operator.file != null) {
        FLEETCTL_INVENTORY = lib.mkDefault "/etc/fleetctl/hosts.toml";
      };
    };
  };
}
