{
  description = "fleetctl: manage NixOS and macOS hosts over SSH";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      # nixpkgs 26.11 dropped Intel Macs.
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ]
      ++ lib.optional (lib.versionOlder lib.trivial.release "26.11") "x86_64-darwin";
      # each OUTPUT: calls OUTPUT with the packages of every system.
      each = output: lib.genAttrs systems (system: output nixpkgs.legacyPackages.${system});
      nixFiles = lib.fileset.toSource {
        root = ./.;
        fileset = lib.fileset.fileFilter (file: file.hasExt "nix") ./.;
      };
      own = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system};

      # module CLASS FILE: a module whose package defaults to this flake's. The key makes a
      # second import harmless; _class rejects an import into another kind of configuration.
      module = class: file: {
        _class = class;
        _file = toString ./flake.nix;
        key = "nixfleet#${class}";
        imports = [
          file
          (
            { lib, pkgs, ... }:
            {
              services.fleetctl-agent.package = lib.mkDefault (own pkgs).fleetctl;
              programs.fleetctl.package = lib.mkDefault (own pkgs).fleetctl;
            }
          )
        ];
      };
    in
    {
      packages = each (pkgs: rec {
        default = fleetctl;
        fleetctl = pkgs.callPackage ./nix/package.nix { };
        options-doc = (import ./nix/options-doc.nix { inherit lib pkgs; }).web;
      });

      # Named differently from the command: the fleetctl of nixpkgs is another program.
      overlays.default = final: _: { nixfleet = final.callPackage ./nix/package.nix { }; };

      nixosModules.default = module "nixos" ./nix/modules/nixos.nix;
      darwinModules.default = module "darwin" ./nix/modules/darwin.nix;
      homeModules.default = module "homeManager" ./nix/modules/home.nix;

      lib = import ./nix/lib.nix;

      templates.default = {
        path = ./nix/template;
        description = "A fleet of two NixOS hosts and a home, with its inventory and CI";
        welcomeText = builtins.readFile ./nix/template/README.md;
      };

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
          format = pkgs.runCommand "format" { nativeBuildInputs = [ pkgs.nixfmt ]; } ''
            find ${nixFiles} -name '*.nix' -exec nixfmt --check {} +
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
            pkgs.jq
            pkgs.mandoc
            pkgs.nixfmt
            pkgs.openssh
            pkgs.python3Packages.pyflakes
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
