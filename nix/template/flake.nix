{
  description = "A fleet of NixOS hosts and homes";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    home-manager = {
      url = "github:nix-community/home-manager";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    nixfleet = {
      url = "github:markus-barta/nixfleet";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      home-manager,
      nixfleet,
    }:
    let
      inherit (nixpkgs) lib;
      each = output: lib.genAttrs (lib.attrNames nixfleet.packages) (system: output system);

      host =
        module:
        lib.nixosSystem {
          modules = [
            ./hosts/common.nix
            nixfleet.nixosModules.default
            # The revision that fleetctl status compares with the repository.
            { system.configurationRevision = self.rev or self.dirtyRev or null; }
            module
          ];
        };
    in
    {
      nixosConfigurations = {
        web = host ./hosts/web/configuration.nix;
        db = host ./hosts/db/configuration.nix;
      };

      homeConfigurations."you@laptop" = home-manager.lib.homeManagerConfiguration {
        pkgs = nixpkgs.legacyPackages.x86_64-linux;
        modules = [
          nixfleet.homeModules.default
          ./homes/you.nix
        ];
      };

      checks = each (system: {
        inventory =
          nixpkgs.legacyPackages.${system}.runCommand "inventory"
            { nativeBuildInputs = [ nixfleet.packages.${system}.fleetctl ]; }
            ''
              fleetctl check ${./.}/hosts.toml
              touch "$out"
            '';
      });

      # nix develop gives you fleetctl.
      devShells = each (system: {
        default = nixpkgs.legacyPackages.${system}.mkShell {
          packages = [ nixfleet.packages.${system}.fleetctl ];
        };
      });
    };
}
