# Virtual machine tests, which exist on Linux only: the agent on a host, and an operator with two
# hosts.
{
  lib,
  stdenv,
  testers,
  fleetctl,
}:
lib.optionalAttrs stdenv.hostPlatform.isLinux {
  agent = testers.runNixOSTest (import ./agent.nix { inherit fleetctl; });
  deploy = testers.runNixOSTest (import ./deploy.nix { inherit fleetctl; });
}
