# The modules, evaluated with nixpkgs' own lib against stubs of what they set: enabled, disabled, each assertion, each warning.
#
#   nix-instantiate --eval --strict nix/tests/eval.nix --arg lib 'import /path/to/nixpkgs/lib'
#
# It is "ok", or an error that names what does not hold.
{ lib }:
let
  stub = import ./stubs.nix { inherit lib; };

  # what MODULE SETTINGS: the configuration that a module makes of settings.
  what = module: settings: (stub.eval module settings).config;

  onMac = module: settings: (stub.evalOn (stub.pkgsOn false) module settings).config;

  # What a module makes, without its own options.
  made =
    config:
    removeAttrs config [
      "services"
      "programs"
    ];

  # Those assertions that do not hold, and the warnings.
  wrong = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  refused = config: words: lib.any (lib.hasInfix words) (wrong config);
  warned = config: words: lib.any (lib.hasInfix words) config.warnings;
  clean = config: wrong config == [ ] && config.warnings == [ ];
  fails = value: !(builtins.tryEval (builtins.deepSeq value true)).success;

  agent = settings: {
    services.fleetctl-agent = {
      enable = true;
    }
    // settings;
  };
  operator = settings: {
    programs.fleetctl = {
      enable = true;
    }
    // settings;
  };
  inventory.hosts.hsb0.kind = "nixos";
  exe = "/nix/store/abc-fleetctl/bin/fleetctl";

  # withSsh TEXT SETTINGS: an operator whose ssh_config(5), wherever the kind of host has it, is that text.
  withSsh =
    text: settings:
    operator settings
    // {
      environment.etc."ssh/ssh_config".text = text;
      home.file.".ssh/config".text = text;
    };
  fleet.hosts = {
    hsb0.kind = "nixos";
    imac0 = {
      kind = "home";
      repo = "~/cfg";
    };
  };

  all = lib.genAttrs [ "nixos" "darwin" "home" ] (name: ../modules + "/${name}.nix");
  inherit (all) nixos darwin home;

  each =
    title: holds:
    lib.mapAttrs' (name: module: lib.nameValuePair "${name}: ${title}" (holds module)) all;

  holds =
    each "disabled, it changes nothing" (module: made (what module { }) == made (what { } { }))
    // each "the agent, enabled, has nothing to complain of" (module: clean (what module (agent { })))
    // each "a host with the agent has the command that looks at it" (
      module:
      let
        config = what module (agent { });
      in
      config.environment.systemPackages ++ config.home.packages == [ stub.package ]
    )
    // each "the operator, enabled, has nothing to complain of" (
      module:
      clean (
        what module (operator {
          settings = inventory;
        })
      )
    )
    // each "intervals the wrong way round are refused" (
      module:
      refused (what module (agent {
        limits.minInterval = 60;
        limits.maxInterval = 30;
      })) "minInterval (60) is longer"
    )
    // each "limits that come to more than the agent's memory are refused" (
      module:
      let
        of =
          limits:
          what module (agent {
            inherit limits;
          });
      in
      refused (of {
        connections = 256;
        headerBytes = 8193;
      }) "256 connections with headers of"
      && clean (of {
        connections = 256;
      })
    )
    // each "limits out of bounds are refused" (
      module:
      lib.all
        (
          limits:
          fails
            (what module (agent {
              inherit limits;
            })).services.fleetctl-agent.limits
        )
        [
          { connections = 1; }
          { connections = 257; }
          { requests = 0; }
          { headerBytes = 100; }
          { minInterval = 0; }
          { maxInterval = 100000; }
        ]
    )
    // each "an inventory as a file and as values is refused" (
      module:
      refused (what module (operator {
        settings = inventory;
        inventory = ./eval.nix;
      })) "leave one of them out"
    )
    // each "a lax policy of host keys is warned of, with the hosts that it is for" (
      module:
      lib.all (text: warned (what module (withSsh text { settings = fleet; })) "down for hsb0, and") [
        "Host imac0\n  StrictHostKeyChecking ask\n\nHost *\n  StrictHostKeyChecking accept-new\n"
        "Host hsb? !hsb1\n\tstricthostkeychecking=No"
        "Host gpc0 hsb0\n  User mba\n  StrictHostKeyChecking \"off\"\n"
        "Host i*\n  StrictHostKeyChecking yes\nMatch user root\n  StrictHostKeyChecking yes\nMatch all\n  StrictHostKeyChecking=no"
      ]
    )
    // each "a policy of host keys that is strict, or for hosts that are not the inventory's, is not" (
      module:
      lib.all (text: clean (what module (withSsh text { settings = fleet; }))) [
        "StrictHostKeyChecking yes"
        "# StrictHostKeyChecking no\n"
        "Host github.com *.lan\n  StrictHostKeyChecking accept-new"
        "Host hsb* imac?\n  StrictHostKeyChecking ask\nHost *\n  StrictHostKeyChecking no"
        "Match user root\n  StrictHostKeyChecking no"
        null
      ]
    )
    // each "for an inventory that is a file, only what is for every host counts" (
      module:
      let
        of = text: what module (withSsh text { inventory = ./eval.nix; });
      in
      warned (of "Host *\n  StrictHostKeyChecking no") "down for every host, and"
      && clean (of "Host hsb0\n  StrictHostKeyChecking no")
    )
    // each "another package takes the flake's place" (
      module:
      let
        other = stub.package // {
          outPath = "/nix/store/other";
        };
      in
      lib.hasInfix "/nix/store/other/bin/fleetctl" (
        builtins.toJSON (
          made (
            what module (agent {
              package = other;
              limits.requests = 7; # so that NixOS has a command line of its own
            })
          )
        )
      )
    )
    // each "an operator without an inventory has the command alone" (
      module:
      let
        config = what module (operator { });
      in
      clean config
      && config.environment.systemPackages ++ config.home.packages == [ stub.package ]
      && config.environment.etc == { }
      && config.environment.variables == { }
      && config.xdg.configFile == { }
    )
    // each "an inventory of values is proven when it is built" (
      module:
      let
        config = what module (operator {
          settings = inventory;
        });
        files = lib.attrValues (config.environment.etc // config.xdg.configFile);
      in
      map (file: file.source.name) files == [ "hosts.toml" ]
      && lib.hasInfix "fleetctl check \"$file\"" (lib.head files).source.script
    )
    // each "the settings of the table are proven when they are built, and are where fleetctl looks" (
      module:
      let
        config = what module (operator {
          config.theme = "vivid";
        });
        files =
          config.environment.etc
          // lib.mapAttrs' (name: lib.nameValuePair "xdg/${name}") config.xdg.configFile;
      in
      clean config
      && lib.attrNames files == [ "xdg/fleetctl/config.toml" ]
      && files."xdg/fleetctl/config.toml".source.name == "config.toml"
      && lib.hasInfix "fleetctl check --config \"$file\"" files."xdg/fleetctl/config.toml".source.script
    )
    // each "without an inventory of its own, a lax policy of host keys is nobody's business" (
      module: clean (what module (withSsh "StrictHostKeyChecking no" { }))
    )
    // each "every option is described, and has an example or, as a package has, a default" (
      module:
      let
        options = (stub.eval module { }).options;
        own = lib.filter (o: o.visible && !o.internal) (
          lib.optionAttrSetToDocList {
            inherit (options) services;
            programs = { inherit (options.programs) fleetctl; };
          }
        );
      in
      lib.length own > 5
      && lib.all (
        o:
        lib.stringLength (o.description or "") > 10
        && (o ? example || lib.hasSuffix ".package" o.name && o ? default)
      ) own
    )
    // {
      "nixos: the units are the package's, and as they are" =
        let
          config = what nixos (agent { });
        in
        config.systemd.packages == [ stub.package ]
        &&
          config.systemd.services.fleetctl-agent == {
            enableDefaultPath = false;
            serviceConfig = { };
          }
        && config.systemd.sockets.fleetctl-agent.socketConfig.SocketMode == "0660";

      "nixos: operators are in the group that the socket lets in" =
        let
          config = what nixos (agent {
            operators = [ "mba" ];
            group = "ops";
          });
        in
        config.users.groups.ops.members == [ "mba" ]
        && config.systemd.sockets.fleetctl-agent.socketConfig.SocketGroup == "ops";

      "nixos: the service's user is there, for systemd's bus to know" =
        let
          inherit ((what nixos (agent { })).users) users groups;
          service = builtins.readFile ../fleetctl-agent.service;
        in
        lib.all (user: users.${user}.isSystemUser && groups ? ${users.${user}.group}) (lib.attrNames users)
        && lib.all (user: lib.hasInfix "\nUser=${user}\n" service) (lib.attrNames users)
        && lib.hasInfix "\nu fleetctl-agent " (builtins.readFile ../fleetctl-agent.sysusers);

      "nixos: limits are the command's" =
        (what nixos (agent {
          idle = 0;
          limits = {
            connections = 8;
            requests = 9;
            headerBytes = 9000;
            minInterval = 2;
            maxInterval = 3;
          };
        })).systemd.services.fleetctl-agent.serviceConfig.ExecStart == [
          ""
          "${exe} agent --max-connections 8 --max-requests 9 --max-header 9000 --min-interval 2s --max-interval 3s --idle 0s"
        ];

      "nixos: another socket takes the package's place" =
        (what nixos (agent {
          socket = "/run/x/y.sock";
        })).systemd.sockets.fleetctl-agent.listenStreams == [
          ""
          "/run/x/y.sock"
        ];

      "nixos: a socket outside /run, or right in it, is refused" =
        lib.all
          (
            socket:
            refused (what nixos (agent {
              inherit socket;
            })) "in a directory of its own under /run"
          )
          [
            "/tmp/agent.sock"
            "/run/agent.sock"
            "/run/../tmp/agent.sock"
            "/running/x/agent.sock"
          ];
      "darwin: a socket outside /var/run, or right in it, is refused" =
        lib.all
          (
            socket:
            refused (what darwin (agent {
              inherit socket;
            })) "in a directory of its own under /var/run"
          )
          [
            "/tmp/agent.sock"
            "/var/run/agent.sock"
          ];

      "nixos: a group that everybody is in is refused" = refused (what nixos (agent {
        group = "users";
      })) "does not tell operators";
      "darwin: a group that everybody is in is refused" = refused (what darwin (agent {
        group = "nogroup";
      })) "does not tell operators";

      "what is no group, socket, mode or time is refused" =
        let
          bad = module: settings: fails (what module (agent settings)).services.fleetctl-agent;
        in
        lib.all (bad nixos) [
          { group = "Operators and more"; }
          { socket = "agent.sock"; }
          { socket = "/run/with space"; }
          { socketMode = "rw"; }
          { idle = -1; }
          { operators = "mba"; }
        ]
        && lib.all (bad darwin) [
          { group = ""; }
          { socket = "agent.sock"; }
        ];

      "darwin: the operator's inventory is in /etc, and another can be named" =
        let
          config = what darwin (
            lib.recursiveUpdate (operator { inventory = ./eval.nix; }) {
              environment.variables.FLEETCTL_INVENTORY = "/elsewhere";
            }
          );
        in
        config.environment.etc."fleetctl/hosts.toml".source == ./eval.nix
        && config.environment.variables.FLEETCTL_INVENTORY == "/elsewhere";

      "nixos: a socket for everybody is warned of" = warned (what nixos (agent {
        socketMode = "0666";
      })) "every user and service";

      "nixos: a port is warned of" = warned (what nixos (
        agent { } // { systemd.sockets.fleetctl-agent.listenStreams = [ "127.0.0.1:80" ]; }
      )) "unix socket";

      "nixos: the inventory is in /etc, and found there" =
        let
          config = what nixos (operator {
            inventory = ./eval.nix;
          });
        in
        config.environment.etc."fleetctl/hosts.toml".source == ./eval.nix
        && config.environment.variables.FLEETCTL_INVENTORY == "/etc/fleetctl/hosts.toml"
        && config.environment.systemPackages == [ stub.package ];

      "darwin: the agent is nobody, in a directory of the operators' group" =
        lib.hasInfix "sudo -n -u nobody ${exe} agent --socket /var/run/fleetctl-agent/agent.sock"
          (
            (what darwin (agent {
              group = "admin";
            })).launchd.daemons.fleetctl-agent.script
          );

      "home: the agent is the user's own, and tells of the home" =
        let
          inherit ((what home (agent { })).systemd.user) services sockets;
        in
        services.fleetctl-agent.Service.ExecStart == "${exe} agent --kind home"
        && sockets.fleetctl-agent.Socket.SocketMode == "0600";

      "home, on macOS: launchd keeps the agent, which makes its socket" =
        let
          config = onMac home (agent { });
          inherit (config.launchd.agents.fleetctl-agent) enable;
          words = config.launchd.agents.fleetctl-agent.config.ProgramArguments;
        in
        enable
        && config.systemd.user.sockets == { }
        &&
          words == [
            exe
            "agent"
            "--kind"
            "home"
            "--socket"
            "/home/mba/.local/state/fleetctl/agent.sock"
          ];

      "every socket is where docs/agent-api.md has it, and so where it is looked for" =
        let
          page = builtins.readFile ../../docs/agent-api.md;
          documented = socket: lib.hasInfix "| `${socket}` |" page;
          user = (what home (agent { })).systemd.user.sockets.fleetctl-agent.Socket.ListenStream;
          launchd = lib.last (onMac home (agent { })).launchd.agents.fleetctl-agent.config.ProgramArguments;
          machine = (what nixos (agent { })).services.fleetctl-agent.socket;
        in
        documented (lib.replaceStrings [ "%t" ] [ "$XDG_RUNTIME_DIR" ] user)
        && documented (lib.replaceStrings [ "/home/mba/.local/state" ] [ "$XDG_STATE_HOME" ] launchd)
        && documented machine
        && documented (onMac darwin (agent { })).services.fleetctl-agent.socket
        && lib.hasInfix "ListenStream=${machine}\n" (builtins.readFile ../fleetctl-agent.socket);

      "home: the inventory is where fleetctl looks" =
        (what home (operator {
          inventory = ./eval.nix;
        })).xdg.configFile == {
          "fleetctl/hosts.toml".source = ./eval.nix;
        };

      "lib.hostsFromFlake: names, kinds, homes and deploy-rs" =
        (import ../lib.nix).hostsFromFlake {
          nixosConfigurations = {
            hsb0 = throw "no configuration is evaluated";
            gpc0 = { };
          };
          darwinConfigurations.mbp = { };
          homeConfigurations = {
            "markus@imac0" = { };
            "mba@gpc0" = { };
            "somebody" = { };
          };
          deploy.sshUser = "root";
          deploy.nodes.gpc0.hostname = "gpc0.lan";
          deploy.nodes.hsb0 = {
            hostname = "192.168.1.99";
            sshUser = "mba";
          };
        } == {
          hsb0 = {
            kind = "nixos";
            address = "192.168.1.99";
            user = "mba";
          };
          gpc0 = {
            kind = "nixos";
            address = "gpc0.lan";
            user = "root";
          };
          mbp.kind = "darwin";
          imac0 = {
            kind = "home";
            attr = "markus@imac0";
            user = "markus";
          };
          gpc0-mba = {
            kind = "home";
            attr = "mba@gpc0";
            user = "mba";
            address = "gpc0.lan";
          };
        };

      "lib.fleetFromFlake: what a name is taken by, and what is no host's, is left out" =
        let
          fleet = (import ../lib.nix).fleetFromFlake {
            nixosConfigurations.web = { };
            darwinConfigurations.WEB = { };
            homeConfigurations = {
              "a@b@c" = { };
              "ada@web" = { };
            };
          };
        in
        map (host: host.name) fleet.hosts == [
          "web"
          "web-ada"
        ]
        &&
          map (left: left.attr) fleet.leftOut == [
            "WEB"
            "a@b@c"
          ]
        && (lib.last fleet.hosts).address == "web";

      "lib.hostsFromFlake: a flake without hosts has none" =
        (import ../lib.nix).hostsFromFlake { } == { };

      "flake: every output is there, for every system" =
        let
          flake = stub.flake;
          systems = [
            "aarch64-darwin"
            "aarch64-linux"
            "x86_64-darwin"
            "x86_64-linux"
          ];
        in
        lib.all (output: lib.attrNames flake.${output} == systems) [
          "packages"
          "checks"
          "devShells"
          "formatter"
          "apps"
        ]
        && lib.all (output: flake.${output} ? default) [
          "nixosModules"
          "darwinModules"
          "homeModules"
          "overlays"
        ]
        && flake.lib ? hostsFromFlake;

      "the limits are those of docs/agent-api.md, and so the command's" =
        let
          inherit (what nixos (agent { })) services;
          inherit (services.fleetctl-agent) limits idle;
          documented =
            flags: default:
            lib.hasInfix "\n| ${flags} | ${default} |" (builtins.readFile ../../docs/agent-api.md);
        in
        documented "`--max-connections`" (toString limits.connections)
        && documented "`--max-requests`" (toString limits.requests)
        && documented "`--max-header`" (toString limits.headerBytes)
        && documented "`--min-interval`, `--max-interval`" "${toString limits.minInterval}s, ${
          toString (limits.maxInterval / 3600)
        }h"
        && documented "`--idle`" "${toString idle}s";

      "darwin: the policy of host keys is looked for where nix-darwin writes it" = warned (what darwin (
        operator { settings = inventory; }
        // {
          environment.etc."ssh/ssh_config.d/100-nix-darwin.conf".text = "StrictHostKeyChecking no";
        }
      )) "/etc/ssh/ssh_config.d/100-nix-darwin.conf turns";

      "package: what it is made of is complete" =
        let
          inherit (stub) package;
          inherit (package) meta passthru;
        in
        package.version == (import ../version.nix).release
        && builtins.match "sha256-[A-Za-z0-9+/]{43}=" package.vendorHash != null
        && package.subPackages == [ "cmd/fleetctl" ]
        && package.env.CGO_ENABLED == 0
        && package.nativeBuildInputs == [ stub.pkgs.installShellFiles ]
        && package.nativeInstallCheckInputs == [ stub.pkgs.versionCheckHook ]
        && package.doInstallCheck
        && passthru.updateScript == [ "nix-update" ]
        &&
          lib.attrNames passthru.tests == [
            "agent"
            "deploy"
          ]
        && meta.license.spdxId == "AGPL-3.0-only"
        && meta.mainProgram == "fleetctl"
        && lib.all (lib.hasPrefix "https://github.com/markus-barta/nixfleet") [
          meta.homepage
          meta.changelog
        ]
        && lib.all (maintainer: maintainer ? name && maintainer ? github) meta.maintainers
        && meta.maintainers != [ ]
        && lib.all (platform: lib.elem platform meta.platforms) [
          "aarch64-darwin"
          "aarch64-linux"
          "x86_64-darwin"
          "x86_64-linux"
        ]
        # As nixpkgs wants it: no article, no full stop, not its own name.
        && builtins.match "[A-Z][^.]*[^. ]" meta.description != null
        && lib.stringLength meta.longDescription > 100;

      "package: it installs the manual, completions and, on Linux, the units and their users" =
        let
          on = isLinux: (stub.pkgsOn isLinux).nixfleet.postInstall;
          installs = isLinux: words: lib.hasInfix words (on isLinux);
        in
        lib.all (installs true) [
          "installManPage docs/man/"
          "--bash <("
          "--fish <("
          "--zsh <("
          "nix/fleetctl-agent.service"
          "nix/fleetctl-agent.socket"
          "--replace-fail /usr/local/bin/fleetctl $out/bin/fleetctl"
          "$out/lib/sysusers.d/fleetctl-agent.conf"
        ]
        && installs false "installManPage docs/man/"
        && !installs false "systemd"
        && (stub.pkgsOn false).nixfleet.passthru.tests == { };

      "package: its source has all that is compiled, embedded or installed" =
        let
          under =
            dir:
            lib.filter (file: !lib.hasSuffix ".txt" file) (
              map toString (lib.filesystem.listFilesRecursive dir)
            );
          src = map toString stub.package.src;
          gone = lib.subtractLists src (
            under ../../fleet/remote
            ++ under ../../internal/demo/standins
            ++ under ../../docs/man
            ++ map toString [
              ../../go.mod
              ../../go.sum
              ../../cmd/fleetctl/main.go
              ../../agent/server.go
              ../nix.go
              ../lib.nix
              ../fleetctl-agent.service
              ../fleetctl-agent.socket
              ../fleetctl-agent.sysusers
            ]
          );
        in
        gone == [ ] && !lib.elem (toString ../../README.md) src;

      "virtual machines: what they are told, the modules know" =
        let
          vm = name: stub.package.passthru.tests.${name}.test.nodes;
          host = stub.node (vm "agent").host;
          one = stub.node (vm "deploy").one;
          operator' = stub.node (vm "deploy").operator;
        in
        lib.all clean [
          host
          one
          operator'
        ]
        && lib.hasSuffix "--idle 5s" (lib.last host.systemd.services.fleetctl-agent.serviceConfig.ExecStart)
        && host.users.groups.fleetctl.members == [ "mba" ]
        && one.systemd.packages == [ stub.package ]
        && !lib.hasInfix "@system@" one.environment.etc."nixcfg.nix".text
        && operator'.environment.variables.FLEETCTL_INVENTORY == "/etc/fleetctl/hosts.toml";

      "virtual machines: their hosts' configuration has both hosts" =
        lib.attrNames ((import ./system-flake.nix).outputs { self = { }; }).nixosConfigurations == [
          "one"
          "two"
        ];

      "flake: what it checks" =
        lib.attrNames stub.flake.checks.x86_64-linux == [
          "agent"
          "deploy"
          "fleetctl"
          "format"
          "modules"
          "options"
        ];

      "flake: the options' documentation has a page for each module" =
        let
          pages = stub.flake.packages.x86_64-linux.options-doc.entries;
          all = lib.all (page: lib.elem "services.fleetctl-agent.enable" page.path) pages;
        in
        all
        &&
          map (page: page.name) pages == [
            "nixosModules.md"
            "darwinModules.md"
            "homeModules.md"
          ];

      "flake: a module that is imported twice is there once, and not where it does not belong" =
        let
          inherit (stub.flake) nixosModules homeModules;
          twice = what { imports = lib.replicate 2 nixosModules.default; } (agent { });
        in
        clean twice
        && twice.services.fleetctl-agent.package == stub.package
        && fails (stub.evalAs "nixos" homeModules.default { }).config
        && !fails (stub.evalAs "nixos" nixosModules.default { }).config.warnings;

      "flake: its overlay leaves the fleetctl of nixpkgs alone" =
        lib.attrNames (stub.flake.overlays.default stub.pkgs { }) == [ "nixfleet" ];

      "flake: its module brings its package" =
        (what stub.flake.nixosModules.default (agent { })).systemd.packages == [
          stub.flake.packages.x86_64-linux.fleetctl
        ];
    };

  broken = lib.attrNames (lib.filterAttrs (_: held: !held) holds);
in
if broken == [ ] then "ok" else throw "does not hold: ${lib.concatStringsSep "; " broken}"
