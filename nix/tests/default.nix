# Tests of the package: its version, its completions and manual pages, and an inventory. On Linux
# also virtual machines: the agent on a host, an operator with two hosts, and an operator with one
# host that really switches.
{
  lib,
  runCommand,
  stdenv,
  testers,
  fleetctl,
}:
{
  version = testers.testVersion { package = fleetctl; };

  inventory = runCommand "fleetctl-inventory" { nativeBuildInputs = [ fleetctl ]; } ''
    fleetctl check ${../../hosts.toml}
    fleetctl schema inventory >"$out"
  '';

  files = runCommand "fleetctl-files" { } ''
    cd ${fleetctl}
    test -s share/man/man1/fleetctl.1.gz
    test -s share/man/man5/fleetctl-options.5.gz
    test -s share/man/man8/fleetctl-agent.8.gz
    test -s share/bash-completion/completions/fleetctl.bash
    test -s share/fish/vendor_completions.d/fleetctl.fish
    test -s share/zsh/site-functions/_fleetctl
    touch "$out"
  '';
}
// lib.optionalAttrs stdenv.hostPlatform.isLinux {
  agent = testers.runNixOSTest (import ./agent.nix { inherit fleetctl; });
  deploy = testers.runNixOSTest (import ./deploy.nix { inherit fleetctl; });
  switch = testers.runNixOSTest (import ./switch.nix { inherit fleetctl; });
}
