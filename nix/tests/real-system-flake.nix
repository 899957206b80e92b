# A configuration that builds without nixpkgs: a copy of a variant of the booted NixOS system, with
# its real activation and switch-to-configuration. The test replaces @system@. The file "next" in
# this directory contains the name of the variant and, optionally, that of a second one that the
# system then has as a variant of its own.
{
  outputs =
    { self }:
    {
      nixosConfigurations.one.config.system.build.toplevel = derivation {
        name = "nixos-system-one";
        system = "@system@";
        builder = "/bin/sh";
        PATH = "/run/current-system/sw/bin";
        revision = self.rev or "dirty";
        next = builtins.readFile ./next;
        args = [
          "-ec"
          ''
            set -- $next
            variants=/run/booted-system/specialisation # english:ignore NixOS's
            old=$(readlink -f "$variants/$1")
            cp -a "$old" "$out"
            chmod u+w "$out" "$out/bin"
            # The system's own path is in the files that activate it.
            find "$out" -maxdepth 2 -type f | while read -r file; do
              if grep -qF "$old" "$file"; then
                chmod u+w "$file"
                sed -i "s|$old|$out|g" "$file"
              fi
            done
            echo "$revision" >"$out/revision"
            if [ $# = 2 ]; then
              own=$out/specialisation # english:ignore NixOS's
              mkdir -p "$own"
              ln -s "$(readlink -f "$variants/$2")" "$own/$2"
            fi
          ''
        ];
      };
    };
}
