# A configuration that builds without nixpkgs: the running NixOS system with its own
# switch-to-configuration. The test replaces @system@.
#
# switch-to-configuration exits with the status in /etc/status. If a file "cut" exists beside this
# one, it stops sshd.
{
  outputs =
    { self }:
    let
      system =
        name:
        derivation {
          name = "nixos-system-${name}";
          system = "@system@";
          builder = "/bin/sh";
          PATH = "/run/current-system/sw/bin";
          revision = self.rev or "dirty";
          ssh = if builtins.pathExists ./cut then "stop" else "start";
          args = [
            "-ec"
            ''
              mkdir -p "$out/bin"
              for part in /run/current-system/*; do
                case ''${part##*/} in
                  bin | nixos-version) ;;
                  *) ln -s "$(readlink -f "$part")" "$out/''${part##*/}" ;;
                esac
              done
              echo "$revision" >"$out/nixos-version"
              {
                echo '#!/bin/sh'
                echo '[ "$1" = test ] || exit 0'
                echo "ln -sfn $out /run/current-system"
                echo "systemctl $ssh sshd.service"
                echo 'exit "$(cat /etc/status)"'
              } >"$out/bin/switch-to-configuration"
              chmod +x "$out/bin/switch-to-configuration"
            ''
          ];
        };
    in
    {
      nixosConfigurations = builtins.mapAttrs (name: _: { config.system.build.toplevel = system name; }) {
        one = { };
        two = { };
      };
    };
}
