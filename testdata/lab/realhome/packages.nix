# The packages that home-manager's modules ask for. Each is a directory of links to programs of the
# host, and each builder is bash with the programs of the host. So the builds need no network, and
# what home-manager makes of them is its own.
{ lib }:
let
  system = "x86_64-linux";

  # build NAME ENV SCRIPT is a derivation whose builder runs the script, with the attributes of ENV
  # as variables. Those that passAsFile lists are in files, too, as in nixpkgs.
  build =
    name: env: script:
    let
      plain = removeAttrs env [
        "buildInputs"
        "meta"
        "nativeBuildInputs"
        "passAsFile"
        "passthru"
        "preferLocalBuild"
        "allowSubstitutes"
      ];
      asFiles = lib.concatMapStrings (attribute: ''
        export ${attribute}Path=$TMPDIR/${attribute}
        printf %s "''$${attribute}" >"''$${attribute}Path"
      '') (env.passAsFile or [ ]);
      package = derivation (
        plain
        // {
          inherit name system;
          builder = "/bin/bash";
          # Without the last line, bash would become the last program, which may close its output
          # a moment before it exits. Nix kills a builder then.
          args = [
            "-ec"
            (asFiles + helpers + script + "\n:")
          ];
          PATH = "/usr/bin:/bin";
        }
      );
    in
    package
    // {
      inherit name;
      pname = lib.getName name;
      version = "1";
      meta.mainProgram = lib.getName name;
      override = _: package;
      overrideAttrs = _: package;
    };

  # The functions of nixpkgs' stdenv that the builds use.
  helpers = ''
    msgfmt() { while [ $# -gt 0 ]; do if [ "$1" = -o ]; then : >"$2"; fi; shift; done; }
    substituteInPlace() {
      local target=$1
      shift
      chmod u+w "$target"
      while [ $# -gt 0 ]; do
        case $1 in
          --subst-var-by) sed -i "s|@$2@|$3|g" "$target" && shift 3 ;;
          --subst-var) sed -i "s|@$2@|''${!2}|g" "$target" && shift 2 ;;
          *) shift ;;
        esac
      done
    }
  '';

  # programs NAMES is a package with links to programs of the host, as far as it has them.
  programs =
    names:
    build (builtins.head names) { } ''
      mkdir -p "$out/bin"
      for program in ${toString names}; do
        found=$(type -P "$program") || continue
        ln -s "$found" "$out/bin/$program"
      done
    '';

  # joined NAME PATHS is a package with links to the files of others.
  joined =
    name: paths:
    build name { } ''
      mkdir -p "$out"
      for package in ${toString paths}; do
        cp -rs --no-preserve=mode "$package/." "$out/" 2>/dev/null || true
      done
    '';

  file =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      ...
    }:
    build name { inherit text; } ''
      target=$out${destination}
      mkdir -p "$(dirname "$target")"
      printf %s "$text" >"$target"
      ${lib.optionalString executable ''chmod +x "$target"''}
    '';

  substituted =
    source: values:
    build (baseNameOf source) { } ''
      cp ${source} "$out"
      chmod u+w "$out"
      ${lib.concatStrings (
        lib.mapAttrsToList (
          name: value:
          lib.optionalString (value != null) ''
            VALUE=${lib.escapeShellArg (toString value)} perl -0pi -e 's/\@${name}\@/$ENV{VALUE}/g' "$out"
          ''
        ) values
      )}
      chmod +x "$out"
    '';

  platform = lib.systems.elaborate system;
  nothing = build "nothing" { } ''mkdir "$out"'';

  pkgs = {
    inherit lib system pkgs;
    path = ./nixpkgs;
    config = { };
    overlays = [ ];
    buildPackages = pkgs;
    stdenv = {
      hostPlatform = platform;
      buildPlatform = platform;
      targetPlatform = platform;
      isLinux = true;
      isDarwin = false;
      shell = "/bin/bash";
      mkDerivation = attributes: build (attributes.name or attributes.pname) { } ''mkdir "$out"'';
    };
    stdenvNoCC = pkgs.stdenv;
    runtimeShell = "/bin/bash";

    runCommand = build;
    runCommandLocal = build;
    runCommandWith = options: build options.name (options.derivationArgs or { });
    writeTextFile = file;
    writeText = name: text: file { inherit name text; };
    writeScript =
      name: text:
      file {
        inherit name text;
        executable = true;
      };
    writeShellScript = name: text: pkgs.writeScript name "#!/bin/bash\n${text}";
    writeShellScriptBin =
      name: text:
      file {
        inherit name;
        text = "#!/bin/bash\n${text}";
        executable = true;
        destination = "/bin/${name}";
      };
    buildEnv = { name, paths, ... }: joined name paths;
    symlinkJoin = { name, paths, ... }: joined name paths;
    replaceVars = substituted;
    replaceVarsWith = { src, replacements, ... }: substituted src replacements;
    callPackage =
      source: given:
      let
        function = if lib.isFunction source then source else import source;
      in
      function (builtins.intersectAttrs (lib.functionArgs function) pkgs // given);
    # Generators of configuration files, which no try looks into.
    formats =
      lib.genAttrs
        [
          "cdn"
          "configobj"
          "elixirConf"
          "gitIni"
          "hocon"
          "ini"
          "iniWithGlobalSection"
          "javaProperties"
          "json"
          "keyValue"
          "libconfig"
          "lua"
          "nixConf"
          "php"
          "plist"
          "pythonVars"
          "systemd"
          "toml"
          "xml"
          "yaml"
        ]
        (
          _: _: {
            type = lib.types.attrsOf lib.types.anything;
            generate = name: value: pkgs.writeText name (builtins.toJSON value);
          }
        );

    bash = programs [
      "bash"
      "sh"
    ];
    bashInteractive = pkgs.bash;
    coreutils = programs [
      "cat"
      "basename"
      "chmod"
      "chown"
      "cp"
      "cut"
      "date"
      "dirname"
      "env"
      "head"
      "id"
      "install"
      "ln"
      "ls"
      "mkdir"
      "mktemp"
      "mv"
      "readlink"
      "realpath"
      "rm"
      "rmdir"
      "sort"
      "stat"
      "tail"
      "tee"
      "test"
      "touch"
      "tr"
      "true"
      "uname"
      "wc"
    ];
    diffutils = programs [
      "diff"
      "cmp"
    ];
    findutils = programs [
      "find"
      "xargs"
    ];
    getent = programs [ "getent" ];
    gettext = programs [
      "gettext"
      "envsubst"
      "gettext.sh"
    ];
    git = programs [ "git" ];
    gnugrep = programs [ "grep" ];
    gnused = programs [ "sed" ];
    jq = programs [ "jq" ];
    ncurses = programs [ "tput" ];
    nix = programs [
      "nix"
      "nix-build"
      "nix-env"
      "nix-store"
    ];
    systemd = programs [
      "systemctl"
      "systemd-tmpfiles"
    ];
    emptyDirectory = nothing;
    glibcLocales = nothing;
    hicolor-icon-theme = nothing;
    man = nothing;
    man-db = nothing;
    sd-switch = nothing;
    shared-mime-info = nothing;
    xdg-user-dirs = nothing;
  };
in
pkgs
