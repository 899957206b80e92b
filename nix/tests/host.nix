# A NixOS host for the tests with an operator: sshd, sudo without a password, and a login user whose
# shell is fish.
{ fleetctl }:
{ lib, pkgs, ... }:
{
  imports = [ ../modules/nixos.nix ];
  services.openssh.enable = true;
  services.fleetctl-agent = {
    enable = true;
    package = fleetctl;
    operators = [ "mba" ];
  };
  programs.fish.enable = true;
  programs.git.enable = true;
  users.users.mba = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    shell = pkgs.fish;
  };
  security.sudo.wheelNeedsPassword = false;
  nix.settings = {
    experimental-features = [
      "nix-command"
      "flakes"
    ];
    sandbox = false;
    substituters = lib.mkForce [ ];
  };
}
