# An operator and two NixOS hosts whose login shell is fish: deploy --all over sshd, and the agent's
# health in the operator's table. The hosts' configuration is a flake whose systems are small
# derivations, so that the test downloads nothing.
{ fleetctl }:
let
  key = "/etc/operator/key";
in
{
  name = "fleetctl-deploy";

  nodes =
    let
      host =
        { lib, pkgs, ... }:
        {
          imports = [ (import ./host.nix { inherit fleetctl; }) ];
          environment.etc."nixcfg.nix".text =
            lib.replaceStrings [ "@system@" ] [ pkgs.stdenv.hostPlatform.system ]
              (lib.readFile ./system-flake.nix);
        };
    in
    {
      one = host;
      two = host;
      operator = import ./operator.nix {
        inherit fleetctl key;
        hosts = [
          "one"
          "two"
        ];
      };
    };

  testScript =
    import ./prelude.nix { inherit key; }
    + ''
      def status_of(name):
          return next(line["health"] for line in run("status", 0) if line["host"] == name)

      def shows(pattern):
          operator.wait_until_succeeds(f"tmux capture-pane -p -t table | grep -E '{pattern}'", timeout=60)

      for name, host in {"one": one, "two": two}.items():
          host.succeed("echo 0 >/etc/status")
          prepare(name, host)

      with subtest("both hosts switch, then are unchanged"):
          assert {r["outcome"] for r in deploy(0).values()} == {"switched"}
          assert {r["outcome"] for r in deploy(0).values()} == {"unchanged"}

      with subtest("exit status 4 means degraded"):
          one.succeed("echo 4 >/etc/status")
          commit(one, "echo \"# more\" >>flake.nix")
          results = deploy(1)
          assert results["one"]["outcome"] == "degraded", results
          assert results["two"]["outcome"] == "unchanged", results
          one.succeed("echo 0 >/etc/status")

      with subtest("a switch that stops sshd is rolled back"):
          before = one.succeed("readlink /run/current-system; readlink -f /nix/var/nix/profiles/system")
          commit(one, "touch cut")
          results = deploy(1, "--confirm-timeout 15s")
          assert results["one"]["outcome"] == "rolled-back", results
          after = one.succeed("readlink /run/current-system; readlink -f /nix/var/nix/profiles/system")
          assert after == before, (before, after)
          operator.succeed("ssh one true")

      with subtest("the table shows the agent's health, or the probe's without an agent"):
          health = status_of("one")
          assert health["agent"] and health["host"] == "one", health
          assert health["memory"]["total"] > 0 and health["checkout"]["branch"] == "main", health
          operator.succeed("tmux new-session -d -s table -x 120 -y 34 fleetctl")
          shows("one .*nixos")
          operator.succeed("tmux send-keys -t table g && sleep 0.1 && tmux send-keys -t table Enter")
          shows("runs .*agent [^ ]+.*up")
          one.succeed("systemctl stop fleetctl-agent.socket fleetctl-agent.service")
          operator.succeed("tmux send-keys -t table r")
          shows("runs .*Nix [^ ]+  up")
          health = status_of("one")
          assert "agent" not in health and health["memory"]["total"] > 0, health
    '';
}
