# The scripts of the virtual machines' tests, by the test's name, each with the machines that it may speak of: so that they can be
# checked where there are no virtual machines.
#
#   nix-instantiate --eval --strict --json nix/tests/scripts.nix --arg lib 'import /path/to/nixpkgs/lib'
{ lib }:
let
  stub = import ./stubs.nix { inherit lib; };
in
lib.mapAttrs (_: vm: {
  text = vm.test.testScript;
  machines = lib.attrNames vm.test.nodes;
}) stub.package.passthru.tests
