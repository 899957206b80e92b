# Stand-ins for everything except nixpkgs' lib: packages, and the options of NixOS, nix-darwin and
# home-manager that the modules set.
{ lib }@args:
let
  # The list of maintainers is not part of nixpkgs' lib.
  lib = args.lib.extend (_: _: { maintainers.alice.name = "Alice"; });

  # An attribute set that looks like a derivation and is never built.
  derivation' =
    name: more:
    {
      type = "derivation";
      inherit name;
      outPath = "/nix/store/abc-${name}";
    }
    // more;

  # lib.fileset with sources as plain lists of files. It works with versions of Nix that are too old
  # for the real one.
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
  # The package of nix/package.nix: the attributes that it passes to buildGoModule.
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
        nix-update-script = { extraArgs }: [ "nix-update" ] ++ extraArgs;
        fetchFromGitHub = source: derivation' "source" source;
        testers = {
          runNixOSTest = test: derivation' "vm-test-${test.name}" { inherit test; };
          testVersion = { package }: derivation' "version" { inherit package; };
        };

        nixfleet = self.callPackage ../package.nix { };
        stdenv = {
          hostPlatform = {
            inherit isLinux;
            system = if isLinux then "x86_64-linux" else "aarch64-darwin";
          };
          buildPlatform.canExecute = _: true;
        };
        formats.toml = _: {
          # The description of the real type.
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
      # Units may be set by several modules, and listenStreams is read by one.
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
      meta.maintainers = list;
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
        {
          _module.args = {
            inherit pkgs;
            # As in NixOS.
            utils.escapeSystemdExecArgs = lib.concatMapStringsSep " " (
              arg: lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON arg)
            );
          };
        }
      ];
    };

  # The configuration of a virtual machine. Options other than the above are freeform.
  node =
    module:
    (eval { imports = [ module ]; } {
      _module.freeformType = lib.types.lazyAttrsOf lib.types.anything;
    }).config;

  # The flake's outputs, with nixpkgs' lib and these packages.
  flake = flakeOf lib;
  flakeOf =
    lib:
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
