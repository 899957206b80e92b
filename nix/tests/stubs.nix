# Stand-ins for what is not nixpkgs' lib: packages, and the options of NixOS, nix-darwin and home-manager that the modules set.
{ lib }:
let
  # A derivation that nobody builds.
  derivation' =
    name: more:
    {
      type = "derivation";
      inherit name;
      outPath = "/nix/store/abc-${name}";
    }
    // more;

  # Of a source, the list of its files is enough; and so it can be had of a Nix that is older than nixpkgs wants.
  fileset =
    let
      files =
        path:
        if (builtins.readDir (dirOf path)).${baseNameOf path} == "directory" then
          lib.filesystem.listFilesRecursive path
        else
          [ path ];
    in
    {
      toSource = { fileset, ... }: fileset;
      unions = lib.concatMap (part: if lib.isList part then part else files part);
      fileFilter =
        wanted: dir:
        lib.filter (path: wanted { hasExt = ext: lib.hasSuffix ".${ext}" (toString path); }) (files dir);
    };
in
rec {
  # What nix/package.nix makes: its attributes, as buildGoModule is given them.
  package = pkgs.nixfleet;

  pkgs = pkgsOn true;
  pkgsOn =
    isLinux:
    let
      self = {
        lib = lib // {
          inherit fileset;
        };
        callPackage =
          path: more:
          let
            function = import path;
          in
          function (builtins.intersectAttrs (lib.functionArgs function) self // more);
        buildGoModule =
          attrs:
          let
            final = attrs (final // { inherit finalPackage; });
            finalPackage = derivation' "fleetctl" (final // final.passthru);
          in
          finalPackage;
        nix-update-script = _: [ "nix-update" ];
        testers.runNixOSTest = test: derivation' "vm-test-${test.name}" { inherit test; };

        nixfleet = self.callPackage ../package.nix { };
        stdenv = {
          hostPlatform = {
            inherit isLinux;
            system = if isLinux then "x86_64-linux" else "aarch64-darwin";
          };
          buildPlatform.canExecute = _: true;
        };
        formats.toml = _: {
          # As the true one calls itself.
          type = lib.types.attrsOf lib.types.anything // {
            description = "TOML value";
          };
          generate = name: _: "/nix/store/abc-${name}";
        };
        runCommand =
          name: _: script:
          derivation' name { inherit script; };
        mkShell = _: derivation' "shell" { };
        linkFarm = name: entries: derivation' name { inherit entries; };
        nixosOptionsDoc =
          { options, transformOptions }:
          {
            optionsCommonMark = map (o: (transformOptions o).name) (lib.optionAttrSetToDocList options);
          };
      }
      // lib.genAttrs [
        "fish"
        "installShellFiles"
        "nixfmt-tree"
        "tmux"
        "versionCheckHook"
      ] (name: derivation' name { });
    in
    self;

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
      home.file = attrs;
      xdg.configFile = attrs;
      xdg.stateHome = option "/home/mba/.local/state" lib.types.str;
    };

  eval = evalOn pkgs;
  evalOn = evalWith null;
  evalAs = class: evalWith class pkgs;
  evalWith =
    class: pkgs: module: settings:
    lib.evalModules {
      inherit class;
      modules = [
        { inherit options; }
        module
        settings
        { _module.args = { inherit pkgs; }; }
      ];
    };

  # A virtual machine of a test: of NixOS, the options above, and the rest as it is written.
  node =
    module:
    (eval { imports = [ module ]; } {
      _module.freeformType = lib.types.lazyAttrsOf lib.types.anything;
    }).config;

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
