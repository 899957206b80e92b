# The scripts of the virtual machine tests, by name, each with the names of its machines. They can
# be checked without starting virtual machines.
#
#   nix-instantiate --eval --strict --json nix/tests/scripts.nix --arg lib 'import /path/to/nixpkgs/lib'
{ lib }:
let
  stub = import ./stubs.nix { inherit lib; };
in
lib.mapAttrs (_: vm: {
  text = vm.test.testScript;
  machines = lib.attrNames vm.test.nodes;
}) (lib.filterAttrs (_: test: test ? test) stub.package.passthru.tests)
