# A home that is built by the real home-manager: its modules, its activation script, its checks, its
# clean-up of links. Only the packages are stand-ins (see packages.nix), so that it builds without
# nixpkgs. ./make puts home-manager and the library of nixpkgs next to this file.
{
  outputs =
    { self }:
    let
      lib = import ./lib;
      pkgs = import ./packages.nix { inherit lib; };
    in
    {
      homeConfigurations."mba@m10" = import ./home-manager/modules {
        inherit lib pkgs;
        minimal = true;
        check = false;
        configuration = {
          imports = [ ./entries.nix ];
          home.username = "mba";
          home.homeDirectory = "/home/mba";
          home.stateVersion = "25.05";
          home.file.".lab-revision".text = self.rev or "dirty";
          home.file.".lab-value".text = builtins.readFile ./value;
          manual.html.enable = false;
          manual.json.enable = false;
          manual.manpages.enable = false;
          news.display = "silent";
          programs.man.enable = lib.mkForce false;
          systemd.user.startServices = false;
        };
      };
    };
}
