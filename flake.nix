{
  description = "fleetctl: manage NixOS and macOS hosts over SSH";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-darwin"
        "x86_64-linux"
      ];
      # each PKGS: an output for every system.
      each = output: lib.genAttrs systems (system: output nixpkgs.legacyPackages.${system});
      own = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system};

      # The modules take fleetctl from this flake, whatever the host's nixpkgs has.
      withPackage =
        module:
        { lib, pkgs, ... }:
        {
          imports = [ module ];
          services.fleetctl-agent.package = lib.mkDefault (own pkgs).fleetctl;
          programs.fleetctl.package = lib.mkDefault (own pkgs).fleetctl;
        };
    in
    {
      packages = each (pkgs: rec {
        default = fleetctl;
        fleetctl = pkgs.callPackage ./nix/package.nix { };
        options-doc = (import ./nix/options-doc.nix { inherit lib pkgs; }).web;
      });

      overlays.default = final: _: { fleetctl = final.callPackage ./nix/package.nix { }; };

      nixosModules.default = withPackage ./nix/modules/nixos.nix;
      darwinModules.default = withPackage ./nix/modules/darwin.nix;
      homeModules.default = withPackage ./nix/modules/home.nix;

      lib = import ./nix/lib.nix;

      checks = each (
        pkgs:
        {
          inherit (own pkgs) fleetctl;
          modules = pkgs.runCommand "modules" { result = import ./nix/tests/eval.nix { inherit lib; }; } ''
            echo "$result" >"$out"
          '';
          options =
            pkgs.runCommand "options" { inherit (import ./nix/options-doc.nix { inherit lib; }) markdown man; }
              ''
                printf '%s' "$markdown" | diff -u ${./docs/options.md} -
                printf '%s' "$man" | diff -u ${./docs/man/fleetctl-options.5} -
                touch "$out"
              '';
        }
        // (own pkgs).fleetctl.passthru.tests
      );

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ (own pkgs).fleetctl ];
          packages = [
            pkgs.fish
            pkgs.git
            pkgs.mandoc
            pkgs.openssh
            pkgs.shellcheck
            pkgs.tmux
            pkgs.zsh
          ];
        };
      });

      formatter = each (pkgs: pkgs.nixfmt-tree);

      apps = each (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (own pkgs).fleetctl;
          meta.description = "Manage NixOS and macOS hosts over SSH";
        };
      });
    };
}
