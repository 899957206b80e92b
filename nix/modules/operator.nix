# programs.fleetctl on NixOS and nix-darwin: the operator's command, for all users of the machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.fleetctl;
  operator = import ./operator-options.nix { inherit lib pkgs cfg; };
in
{
  options.programs.fleetctl = operator.options;

  config = lib.mkIf cfg.enable {
    inherit (operator) assertions;
    warnings = operator.sshWarnings (config.programs.ssh.extraConfig or "");
    environment = {
      # Completions and the manual page are the package's.
      systemPackages = [ cfg.package ];
      etc = lib.mkIf (operator.file != null) { "fleetctl/hosts.toml".source = operator.file; };
      variables = lib.mkIf (operator.file != null) {
        FLEETCTL_INVENTORY = lib.mkDefault "/etc/fleetctl/hosts.toml";
      };
    };
  };
}
