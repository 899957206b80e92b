# A configuration that builds without nixpkgs: a copy of a variant of the booted NixOS system, with
# its real activation and switch-to-configuration. The test replaces @system@. The file "next" in
# this directory contains the name of the variant.
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
            old=$(readlink -f "/run/booted-system/specialisation/$(echo $next)") # english:ignore NixOS's
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
          ''
        ];
      };
    };
}
