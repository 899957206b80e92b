# The option `package`, of the agent and of the operator's command. It is not called fleetctl in a package set: nixpkgs has another
# program of that name.
{ lib, pkgs }:
lib.mkPackageOption pkgs "nixfleet" {
  extraDescription = "The flake's modules bring the flake's own; the `fleetctl` of nixpkgs is another program.";
}
