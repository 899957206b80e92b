# Stand-ins for what is not nixpkgs' lib: packages, and the options of NixOS, nix-darwin and home-manager that the modules set.
{ lib }:
rec {
  package = {
    type = "derivation";
    name = "fleetctl";
    outPath = "/nix/store/abc-fleetctl";
    meta.mainProgram = "fleetctl";
    passthru.tests = { };
  };

  pkgs = pkgsOn true;
  pkgsOn = isLinux: {
    fleetctl = package;
    stdenv.hostPlatform = {
      inherit isLinux;
      system = if isLinux then "x86_64-linux" else "aarch64-darwin";
    };
    callPackage = _: _: package;
    formats.toml = _: {
      type = lib.types.attrsOf lib.types.anything;
      generate = name: _: "/nix/store/abc-${name}";
    };
    runCommand =
      name: _: _:
      "/nix/store/abc-${name}";
    mkShell = _: package;
    nixfmt-tree = package;
  };

  options =
    let
      option = default: type: lib.mkOption { inherit default type; };
      attrs = option { } (lib.types.attrsOf lib.types.anything);
      list = option [ ] (lib.types.listOf lib.types.anything);
      # What several modules may set, and what is read back.
      unit = option { } (
        lib.types.attrsOf (
          lib.types.submodule {
            freeformType = lib.types.attrsOf lib.types.anything;
            options.listenStreams = lib.mkOption {
              default = [ ];
              type = lib.types.listOf lib.types.str;
            };
          }
        )
      );
    in
    {
      assertions = list;
      warnings = list;
      environment = {
        systemPackages = list;
        etc = attrs;
        variables = attrs;
      };
      users.groups = attrs;
      users.users = attrs;
      systemd.packages = list;
      systemd.sockets = unit;
      systemd.services = attrs;
      systemd.user = {
        sockets = attrs;
        services = attrs;
      };
      launchd = {
        daemons = attrs;
        agents = attrs;
      };
      home.packages = list;
      xdg.configFile = attrs;
      xdg.stateHome = option "/home/mba/.local/state" lib.types.str;
      programs.ssh.extraConfig = option "" lib.types.lines;
    };

  eval = evalOn pkgs;
  evalOn =
    pkgs: module: settings:
    lib.evalModules {
      modules = [
        { inherit options; }
        module
        settings
        { _module.args = { inherit pkgs; }; }
      ];
    };

  # The flake, with nixpkgs' lib and these packages.
  flake =
    let
      outputs = (import ../../flake.nix).outputs {
        self = outputs;
        nixpkgs = {
          inherit lib;
          legacyPackages = lib.genAttrs [
            "aarch64-darwin"
            "aarch64-linux"
            "x86_64-darwin"
            "x86_64-linux"
          ] (_: pkgs);
        };
      };
    in
    outputs;
}
