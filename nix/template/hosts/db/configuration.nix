{
  networking.hostName = "db";
  nixpkgs.hostPlatform = "x86_64-linux";

  # Replace these two with the host's hardware-configuration.nix.
  boot.loader.grub.device = "/dev/sda";
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
}
