# The option `package` of the agent and of the operator's command. The attribute is nixfleet, since
# the fleetctl of nixpkgs is another program.
{ lib, pkgs }:
lib.mkPackageOption pkgs "nixfleet" {
  extraDescription = "The flake's modules default to the flake's package. The `fleetctl` of nixpkgs is another program.";
}
