# The configuration of the lab's fleet. Its derivations have the layout of a NixOS system and of a
# home-manager generation, so that fleetctl does with them what it does with real ones. They build
# in a moment and need no nixpkgs.
#
# machines/NAME contains directives for that machine, one per line:
#
#   slow-build N      the build takes N seconds and prints a line each second
#   loud-build N      the build prints N lines
#   fail-build        the build fails
#   slow-switch N     the activation takes N seconds and prints a line each second
#   fail-switch C     the activation exits with status C
#   fail-check        the checks before the activation fail, and nothing is activated
#   die-switch        the activation is killed halfway
#   cut-ssh           the activation stops the SSH server and closes all sessions
#   specialisation    the system has a specialisation "quiet"
#   new-kernel        the system has another kernel than the booted one
#   payload N         the system refers to N paths of a MiB each, which differ with the revision
{
  outputs =
    { self, ... }:
    let
      revision = self.rev or self.dirtyRev or "dirty";
      machines = builtins.attrNames (builtins.readDir ./machines);
      has = machine: word: builtins.match ".*${word}.*" (read machine) != null;
      # payload returns paths that take a moment to build, and longer to copy.
      payload =
        machine:
        let
          size = builtins.match ".*payload ([0-9]+).*" (read machine);
          part =
            n:
            derivation {
              name = "payload-${toString n}";
              system = builtins.currentSystem or "x86_64-linux";
              builder = "/bin/sh";
              args = [
                "-c"
                "head -c 1048576 /dev/urandom >$out"
              ];
              PATH = "/usr/bin:/bin";
              inherit revision;
            };
        in
        if size == null then [ ] else builtins.genList part (builtins.fromJSON (builtins.head size));
      read = machine: builtins.readFile (./machines + "/${machine}");
      build =
        shape: machine:
        derive shape machine (if has machine "specialisation" then derive shape machine "itself" else "");
      # specialisation is the system's specialisation, which nixpkgs links to in the same way
      # (nixos/modules/system/activation/specialisation.nix), or "itself", or "".
      derive =
        shape: machine: specialisation:
        derivation {
          name = "${shape}-${machine}";
          system = builtins.currentSystem or "x86_64-linux";
          builder = "/bin/sh";
          args = [ ./make.sh ];
          PATH = "/usr/bin:/bin";
          directives = read machine;
          # As in NixOS, these are links to paths that most systems share.
          kernel = builtins.toFile "kernel" (if has machine "new-kernel" then "new" else "old");
          initrd = builtins.toFile "initrd" "";
          payload = payload machine;
          inherit
            machine
            revision
            shape
            specialisation
            ;
        };
      each =
        name: value:
        builtins.listToAttrs (
          map (m: {
            name = name m;
            value = value m;
          }) machines
        );
    in
    {
      nixosConfigurations = each (m: m) (m: {
        config.system.build.toplevel = build "nixos-system" m;
      });
      homeConfigurations = each (m: "mba@${m}") (m: {
        activationPackage = build "home-manager-generation" m;
      });
    };
}
