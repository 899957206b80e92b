# The operator's machine of a test. Its inventory has the given hosts.
{
  fleetctl,
  key, # path of the operator's SSH key
  hosts,
}:
{ lib, pkgs, ... }:
{
  imports = [ ../modules/nixos.nix ];
  programs.git.enable = true;
  programs.ssh.extraConfig = ''
    IdentityFile ${key}
    User mba
  '';
  environment.systemPackages = [ pkgs.tmux ];
  programs.fleetctl = {
    enable = true;
    package = fleetctl;
    settings = {
      fleet.name = "vm";
      defaults.repo = "~/nixcfg";
      hosts = lib.genAttrs hosts (_: {
        kind = "nixos";
      });
    };
  };
}
