# The configuration of the lab's fleet: derivations with the outside of a NixOS system and of a home-manager generation, so that
# everything that fleetctl does to them is real, and they build anywhere in a moment. They need no nixpkgs.
#
# machines/NAME holds words, one a line, that decide how that machine behaves:
#
#   slow-build N      its build takes N seconds, and says so each second
#   loud-build N      its build prints N lines
#   fail-build        its build fails
#   slow-switch N     its activation takes N seconds, and says so each second
#   fail-switch C     its activation exits with status C
#   cut-ssh           its activation stops the SSH server and ends every session
#   new-kernel        it has another kernel than the one that was booted
{
  outputs =
    { self }:
    let
      revision = self.rev or self.dirtyRev or "dirty";
      machines = builtins.attrNames (builtins.readDir ./machines);
      make =
        what: machine:
        derivation {
          name = "${what}-${machine}";
          system = builtins.currentSystem or "x86_64-linux";
          builder = "/bin/sh";
          args = [ ./make.sh ];
          PATH = "/usr/bin:/bin";
          words = builtins.readFile (./machines + "/${machine}");
          inherit what machine revision;
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
        config.system.build.toplevel = make "nixos-system" m;
      });
      homeConfigurations = each (m: "mba@${m}") (m: {
        activationPackage = make "home-manager-generation" m;
      });
    };
}
