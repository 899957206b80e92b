# Evaluates the modules with nixpkgs' lib against stubs of the options that they set: enabled,
# disabled, each assertion and each warning.
#
#   nix-instantiate --eval --strict nix/tests/eval.nix --arg lib 'import /path/to/nixpkgs/lib'
#
# Evaluates to "ok", or throws an error with the names of the failed tests.
{ lib }:
let
  stub = import ./stubs.nix { inherit lib; };

  # eval MODULE SETTINGS: the configuration that results from a module and settings.
  eval = module: settings: (stub.eval module settings).config;

  onMac = module: settings: (stub.evalOn (stub.pkgsOn false) module settings).config;

  # The configuration without the options of the module itself.
  effects =
    config:
    removeAttrs config [
      "services"
      "programs"
    ];

  # The messages of failed assertions.
  failures = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  rejects = config: words: lib.any (lib.hasInfix words) (failures config);
  warns = config: words: lib.any (lib.hasInfix words) config.warnings;
  clean = config: failures config == [ ] && config.warnings == [ ];
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

  # withSsh TEXT SETTINGS: an operator whose ssh_config(5), on each kind of host, is TEXT.
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
    title: test:
    lib.mapAttrs' (name: module: lib.nameValuePair "${name}: ${title}" (test module)) all;

  tests =
    each "disabled modules change nothing" (
      module: effects (eval module { }) == effects (eval { } { })
    )
    // each "the enabled agent has no warnings" (module: clean (eval module (agent { })))
    // each "a host with the agent has the command" (
      module:
      let
        config = eval module (agent { });
      in
      config.environment.systemPackages ++ config.home.packages == [ stub.package ]
    )
    // each "the enabled operator has no warnings" (
      module:
      clean (
        eval module (operator {
          settings = inventory;
        })
      )
    )
    // each "a minimum interval above the maximum is rejected" (
      module:
      rejects (eval module (agent {
        limits.minInterval = 60;
        limits.maxInterval = 30;
      })) "minInterval is 60, but must be at most maxInterval"
    )
    // each "limits that exceed the agent's memory are rejected" (
      module:
      let
        of =
          limits:
          eval module (agent {
            inherit limits;
          });
      in
      rejects (of {
        connections = 256;
        headerBytes = 8193;
      }) "connections (256) times headerBytes"
      && clean (of {
        connections = 256;
      })
    )
    // each "limits out of range are rejected" (
      module:
      lib.all
        (
          limits:
          fails
            (eval module (agent {
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
    // each "an inventory as both file and values is rejected" (
      module:
      rejects (eval module (operator {
        settings = inventory;
        inventory = ./eval.nix;
      })) "remove one of them"
    )
    // each "weakened host key checking causes a warning that names the hosts" (
      module:
      lib.all (text: warns (eval module (withSsh text { settings = fleet; })) "Checking for hsb0.") [
        "Host imac0\n  StrictHostKeyChecking ask\n\nHost *\n  StrictHostKeyChecking accept-new\n"
        "Host hsb? !hsb1\n\tstricthostkeychecking=No"
        "Host gpc0 hsb0\n  User mba\n  StrictHostKeyChecking \"off\"\n"
        "Host i*\n  StrictHostKeyChecking yes\nMatch user root\n  StrictHostKeyChecking yes\nMatch all\n  StrictHostKeyChecking=no"
      ]
    )
    // each "strict host key checking, or weakened checking for other hosts, causes no warning" (
      module:
      lib.all (text: clean (eval module (withSsh text { settings = fleet; }))) [
        "StrictHostKeyChecking yes"
        "# StrictHostKeyChecking no\n"
        "Host github.com *.lan\n  StrictHostKeyChecking accept-new"
        "Host hsb* imac?\n  StrictHostKeyChecking ask\nHost *\n  StrictHostKeyChecking no"
        "Match user root\n  StrictHostKeyChecking no"
        null
      ]
    )
    // each "an inventory file causes a warning only if checking is weakened for all hosts" (
      module:
      let
        of = text: eval module (withSsh text { inventory = ./eval.nix; });
      in
      warns (of "Host *\n  StrictHostKeyChecking no") "Checking for every host."
      && clean (of "Host hsb0\n  StrictHostKeyChecking no")
    )
    // each "the package can be replaced" (
      module:
      let
        other = stub.package // {
          outPath = "/nix/store/other";
        };
      in
      lib.hasInfix "/nix/store/other/bin/fleetctl" (
        builtins.toJSON (
          effects (
            eval module (agent {
              package = other;
              limits.requests = 7; # makes the NixOS module set ExecStart
            })
          )
        )
      )
    )
    // each "an operator without an inventory has only the command" (
      module:
      let
        config = eval module (operator { });
      in
      clean config
      && config.environment.systemPackages ++ config.home.packages == [ stub.package ]
      && config.environment.etc == { }
      && config.environment.variables == { }
      && config.xdg.configFile == { }
    )
    // each "an inventory of values is checked by its build" (
      module:
      let
        config = eval module (operator {
          settings = inventory;
        });
        files = lib.attrValues (config.environment.etc // config.xdg.configFile);
      in
      map (file: file.source.name) files == [ "hosts.toml" ]
      && lib.hasInfix "fleetctl check \"$file\"" (lib.head files).source.script
    )
    // each "settings of the table are checked by their build" (
      module:
      let
        config = eval module (operator {
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
    // each "weakened host key checking causes no warning without an inventory" (
      module: clean (eval module (withSsh "StrictHostKeyChecking no" { }))
    )
    // each "every option has a description, and an example or, for packages, a default" (
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
      "nixos: the package's units are used unchanged" =
        let
          config = eval nixos (agent { });
        in
        config.systemd.packages == [ stub.package ]
        &&
          config.systemd.services.fleetctl-agent == {
            enableDefaultPath = false;
            serviceConfig = { };
          }
        && config.systemd.sockets.fleetctl-agent.socketConfig.SocketMode == "0660";

      "nixos: operators are members of the socket's group" =
        let
          config = eval nixos (agent {
            operators = [ "mba" ];
            group = "ops";
          });
        in
        config.users.groups.ops.members == [ "mba" ]
        && config.systemd.sockets.fleetctl-agent.socketConfig.SocketGroup == "ops";

      "nixos: the service's user exists" =
        let
          inherit ((eval nixos (agent { })).users) users groups;
          service = builtins.readFile ../fleetctl-agent.service;
        in
        lib.all (user: users.${user}.isSystemUser && groups ? ${users.${user}.group}) (lib.attrNames users)
        && lib.all (user: lib.hasInfix "\nUser=${user}\n" service) (lib.attrNames users)
        && lib.hasInfix "\nu fleetctl-agent " (builtins.readFile ../fleetctl-agent.sysusers);

      "nixos: limits become flags of the command" =
        let
          flags = "agent --max-connections 8 --max-requests 9 --max-header 9000 --min-interval 2s --max-interval 3s --idle 0s";
          words = [ exe ] ++ lib.splitString " " flags;
          config = eval nixos (agent {
            idle = 0;
            limits = {
              connections = 8;
              requests = 9;
              headerBytes = 9000;
              minInterval = 2;
              maxInterval = 3;
            };
          });
        in
        config.systemd.services.fleetctl-agent.serviceConfig.ExecStart == [
          ""
          (lib.concatMapStringsSep " " (word: "\"${word}\"") words)
        ];

      "nixos: another socket replaces that of the package" =
        (eval nixos (agent {
          socket = "/run/x/y.sock";
        })).systemd.sockets.fleetctl-agent.listenStreams == [
          ""
          "/run/x/y.sock"
        ];

      "nixos: a socket outside of /run or directly in it is rejected" =
        lib.all
          (
            socket:
            rejects (eval nixos (agent {
              inherit socket;
            })) "in a directory of its own under /run"
          )
          [
            "/tmp/agent.sock"
            "/run/agent.sock"
            "/run/../tmp/agent.sock"
            "/running/x/agent.sock"
          ];
      "darwin: a socket outside of /var/run or directly in it is rejected" =
        lib.all
          (
            socket:
            rejects (eval darwin (agent {
              inherit socket;
            })) "in a directory of its own under /var/run"
          )
          [
            "/tmp/agent.sock"
            "/var/run/agent.sock"
          ];

      "nixos: a group of all users is rejected" = rejects (eval nixos (agent {
        group = "users";
      })) "contains more than operators";
      "darwin: a group of all users is rejected" = rejects (eval darwin (agent {
        group = "nogroup";
      })) "contains more than operators";

      "an invalid group, socket, mode or time is rejected" =
        let
          bad = module: settings: fails (eval module (agent settings)).services.fleetctl-agent;
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

      "darwin: the inventory is in /etc, and FLEETCTL_INVENTORY can be overridden" =
        let
          config = eval darwin (
            lib.recursiveUpdate (operator { inventory = ./eval.nix; }) {
              environment.variables.FLEETCTL_INVENTORY = "/elsewhere";
            }
          );
        in
        config.environment.etc."fleetctl/hosts.toml".source == ./eval.nix
        && config.environment.variables.FLEETCTL_INVENTORY == "/elsewhere";

      "nixos: a socket for all users causes a warning" = warns (eval nixos (agent {
        socketMode = "0666";
      })) "every user and service";

      "nixos: a TCP port causes a warning" = warns (eval nixos (
        agent { } // { systemd.sockets.fleetctl-agent.listenStreams = [ "127.0.0.1:80" ]; }
      )) "only unix sockets";

      "nixos: the inventory is in /etc, and FLEETCTL_INVENTORY names it" =
        let
          config = eval nixos (operator {
            inventory = ./eval.nix;
          });
        in
        config.environment.etc."fleetctl/hosts.toml".source == ./eval.nix
        && config.environment.variables.FLEETCTL_INVENTORY == "/etc/fleetctl/hosts.toml"
        && config.environment.systemPackages == [ stub.package ];

      "darwin: the agent runs without privileges, in a directory of the group" =
        # english:ignore the name of a user
        lib.hasInfix "sudo -n -u nobody ${exe} agent --socket /var/run/fleetctl-agent/agent.sock"
          (
            (eval darwin (agent {
              group = "admin";
            })).launchd.daemons.fleetctl-agent.script
          );

      "home: the agent serves only its user and reports the home" =
        let
          inherit ((eval home (agent { })).systemd.user) services sockets;
        in
        services.fleetctl-agent.Service.ExecStart == "${exe} agent --kind home"
        && sockets.fleetctl-agent.Socket.SocketMode == "0600";

      "home on macOS: launchd keeps the agent running, which creates its socket" =
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

      "all sockets are those in docs/agent-api.md" =
        let
          page = builtins.readFile ../../docs/agent-api.md;
          documented = socket: lib.hasInfix "| `${socket}` |" page;
          user = (eval home (agent { })).systemd.user.sockets.fleetctl-agent.Socket.ListenStream;
          launchd = lib.last (onMac home (agent { })).launchd.agents.fleetctl-agent.config.ProgramArguments;
          machine = (eval nixos (agent { })).services.fleetctl-agent.socket;
        in
        documented (lib.replaceStrings [ "%t" ] [ "$XDG_RUNTIME_DIR" ] user)
        && documented (lib.replaceStrings [ "/home/mba/.local/state" ] [ "$XDG_STATE_HOME" ] launchd)
        && documented machine
        && documented (onMac darwin (agent { })).services.fleetctl-agent.socket
        && lib.hasInfix "ListenStream=${machine}\n" (builtins.readFile ../fleetctl-agent.socket);

      "home: the inventory is installed where fleetctl finds it" =
        (eval home (operator {
          inventory = ./eval.nix;
        })).xdg.configFile == {
          "fleetctl/hosts.toml".source = ./eval.nix;
        };

      "lib.hostsFromFlake: finds names, kinds, homes and settings of deploy-rs" =
        (import ../lib.nix).hostsFromFlake {
          nixosConfigurations = {
            hsb0 = throw "a configuration was evaluated";
            gpc0 = { };
          };
          darwinConfigurations.mbp = { };
          homeConfigurations = {
            "markus@imac0" = { };
            "mba@gpc0" = { };
            "ada" = { };
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

      "lib.fleetFromFlake: leaves out duplicate names and homes without a host" =
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

      "lib.fleetFromFlake: names the homes of one machine after their users" =
        let
          fleet = (import ../lib.nix).fleetFromFlake {
            homeConfigurations = {
              "ada@imac" = { };
              "bob@IMac" = { };
              "cy@mbp" = { };
            };
          };
        in
        map (host: "${host.name} ${host.address or "-"}") fleet.hosts == [
          "imac-ada imac"
          "IMac-bob IMac"
          "mbp -"
        ];

      "lib.hostsFromFlake: a flake without hosts has no hosts" =
        (import ../lib.nix).hostsFromFlake { } == { };

      "flake: all outputs exist for all systems" =
        let
          flake = stub.flake;
          systems = [
            "aarch64-darwin"
            "aarch64-linux"
            "x86_64-linux"
          ];
          # nixpkgs 26.05 still has Intel Macs.
          older = stub.flakeOf (
            lib.extend (
              _: before: {
                trivial = before.trivial // {
                  release = "26.05";
                };
              }
            )
          );
        in
        lib.all (output: lib.attrNames flake.${output} == systems) [
          "packages"
          "checks"
          "devShells"
          "formatter"
          "apps"
        ]
        && older.packages ? x86_64-darwin
        && lib.all (output: flake.${output} ? default) [
          "nixosModules"
          "darwinModules"
          "homeModules"
          "overlays"
        ]
        && flake.lib ? hostsFromFlake;

      "the default limits are those in docs/agent-api.md" =
        let
          inherit (eval nixos (agent { })) services;
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

      "darwin: the ssh_config.d file of nix-darwin is checked" = warns (eval darwin (
        operator { settings = inventory; }
        // {
          environment.etc."ssh/ssh_config.d/100-nix-darwin.conf".text = "StrictHostKeyChecking no";
        }
      )) "/etc/ssh/ssh_config.d/100-nix-darwin.conf weakens";

      "package: its attributes are complete" =
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
        &&
          lib.attrNames passthru.tests == [
            "agent"
            "deploy"
            "files"
            "inventory"
            "switch"
            "version"
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
        # The conventions of nixpkgs: no article, no period, no package name.
        && builtins.match "[A-Z][^.]*[^. ]" meta.description != null
        && lib.stringLength meta.longDescription > 100;

      "package: installs the manual pages, completions and, on Linux, the units and their users" =
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
        && !((stub.pkgsOn false).nixfleet.passthru.tests ? agent);

      "package: its source has all files that are compiled, embedded or installed" =
        let
          under =
            dir:
            lib.filter (file: !lib.hasSuffix ".txt" file) (
              map toString (lib.filesystem.listFilesRecursive dir)
            );
          src = map toString stub.package.src;
          missing = lib.subtractLists src (
            under ../../fleet/remote
            ++ under ../../internal/demo/standins
            ++ under ../../docs/man
            ++ map toString [
              ../../go.mod
              ../../go.sum
              ../../cmd/fleetctl/main.go
              ../../agent/server.go
              ../../agent/openapi.json
              ../nix.go
              ../lib.nix
              ../fleetctl-agent.service
              ../fleetctl-agent.socket
              ../fleetctl-agent.sysusers
            ]
          );
        in
        missing == [ ] && !lib.elem (toString ../../README.md) src;

      "virtual machines: their configurations are valid" =
        let
          vm = name: stub.package.passthru.tests.${name}.test.nodes;
          host = stub.node (vm "agent").host;
          started = host.systemd.services.fleetctl-agent.serviceConfig.ExecStart;
          one = stub.node (vm "deploy").one;
          real = stub.node (vm "switch").one;
          operator' = stub.node (vm "deploy").operator;
        in
        lib.all clean [
          host
          one
          real
          operator'
        ]
        && lib.hasSuffix "\"--idle\" \"5s\"" (lib.last started)
        && host.users.groups.fleetctl.members == [ "mba" ]
        && one.systemd.packages == [ stub.package ]
        && !lib.hasInfix "@system@" one.environment.etc."nixcfg.nix".text
        && operator'.environment.variables.FLEETCTL_INVENTORY == "/etc/fleetctl/hosts.toml";

      "virtual machines: the hosts' flake has both hosts" =
        lib.attrNames ((import ./system-flake.nix).outputs { self = { }; }).nixosConfigurations == [
          "one"
          "two"
        ];

      "flake: has all checks" =
        lib.attrNames stub.flake.checks.x86_64-linux == [
          "agent"
          "deploy"
          "files"
          "fleetctl"
          "format"
          "inventory"
          "modules"
          "options"
          "switch"
          "version"
        ];

      "nixpkgs: its package has literals that its updateScript can replace, and the same files" =
        let
          path = ../../packaging/nixpkgs/package.nix;
          package = stub.pkgs.callPackage path { };
          text = builtins.readFile path;
          literal = name: builtins.match ".*\n *${name} = \"([^\"$]+)\";.*" text != null;
          meta =
            package:
            removeAttrs package.meta [
              "changelog"
              "maintainers"
            ];
        in
        lib.all literal [
          "version"
          "hash"
          "vendorHash"
        ]
        && lib.take 2 package.passthru.updateScript == [
          "nix-update"
          "--version-regex"
        ]
        && lib.hasInfix "3\\.1\\.0" (lib.last package.passthru.updateScript)
        && package.src.tag == "v${package.version}"
        && package.postInstall == stub.package.postInstall
        && meta package == meta stub.package;

      "template: its outputs are two hosts and a home, which its inventory lists" =
        let
          inventory = builtins.fromTOML (builtins.readFile ../template/hosts.toml);
          template = (import ../template/flake.nix).outputs {
            self = template;
            nixpkgs = {
              lib = lib // {
                nixosSystem = configuration: configuration;
              };
              legacyPackages = lib.genAttrs lib.systems.flakeExposed (_: stub.pkgs);
            };
            home-manager.lib.homeManagerConfiguration = configuration: configuration;
            nixfleet = stub.flake;
          };
          fleet = (import ../lib.nix).hostsFromFlake template;
          kinds = lib.mapAttrs (_: host: host.kind);
          modules = lib.concatMap (configuration: configuration.modules) (
            lib.attrValues (template.nixosConfigurations // template.homeConfigurations)
          );
        in
        lib.attrNames template.nixosConfigurations == [
          "db"
          "web"
        ]
        && lib.attrNames template.homeConfigurations == [ "you@laptop" ]
        && kinds inventory.hosts == kinds fleet
        && lib.hasInfix "/hosts.toml" template.checks.x86_64-linux.inventory.script
        && lib.all builtins.pathExists (lib.filter builtins.isPath modules);

      "the modules have a maintainer if nixpkgs lists them" =
        let
          of =
            maintainers:
            ((lib.extend (_: _: { inherit maintainers; })).evalModules {
              modules = [
                ../modules/maintainers.nix
                {
                  options.meta.maintainers = lib.mkOption {
                    type = lib.types.listOf lib.types.attrs;
                  };
                }
              ];
            }).config.meta.maintainers;
          listed.markus-barta.github = "markus-barta";
        in
        of { } == [ ] && of listed == [ listed.markus-barta ];

      "operator: the programs that it runs are related packages" =
        let
          related = module: (stub.eval module { }).options.programs.fleetctl.enable.relatedPackages;
        in
        lib.all
          (
            module:
            related module == [
              "git"
              "openssh"
            ]
          )
          [
            nixos
            darwin
            home
          ];

      "every computed default has a text" =
        let
          options = module: lib.collect lib.isOption (stub.eval module { }).options;
          texts = module: lib.count (option: option ? defaultText) (options module);
        in
        texts nixos == 3 && texts darwin == 3 && texts home == 2;

      "flake: options-doc has a page for each module" =
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

      "flake: a module can be imported twice, but only into its kind of configuration" =
        let
          inherit (stub.flake) nixosModules homeModules;
          twice = eval { imports = lib.replicate 2 nixosModules.default; } (agent { });
        in
        clean twice
        && twice.services.fleetctl-agent.package == stub.package
        && fails (stub.evalAs "nixos" homeModules.default { }).config
        && !fails (stub.evalAs "nixos" nixosModules.default { }).config.warnings;

      "flake: the overlay does not replace the fleetctl of nixpkgs" =
        lib.attrNames (stub.flake.overlays.default stub.pkgs { }) == [ "nixfleet" ];

      "flake: the modules default to the flake's package" =
        (eval stub.flake.nixosModules.default (agent { })).systemd.packages == [
          stub.flake.packages.x86_64-linux.fleetctl
        ];
    };

  failed = lib.attrNames (lib.filterAttrs (_: passed: !passed) tests);
in
if failed == [ ] then "ok" else throw "failed: ${lib.concatStringsSep "; " failed}"
