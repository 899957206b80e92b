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
          imports = [ ../modules/nixos.nix ];
          services.openssh.enable = true;
          services.fleetctl-agent = {
            enable = true;
            package = fleetctl;
            operators = [ "mba" ];
          };
          programs.fish.enable = true;
          programs.git.enable = true;
          users.users.mba = {
            isNormalUser = true;
            extraGroups = [ "wheel" ];
            shell = pkgs.fish;
          };
          security.sudo.wheelNeedsPassword = false;
          nix.settings = {
            experimental-features = [
              "nix-command"
              "flakes"
            ];
            sandbox = false;
            substituters = lib.mkForce [ ];
          };
          environment.etc."nixcfg.nix".text =
            lib.replaceStrings [ "@system@" ] [ pkgs.stdenv.hostPlatform.system ]
              (lib.readFile ./system-flake.nix);
        };
    in
    {
      one = host;
      two = host;
      operator =
        { pkgs, ... }:
        {
          imports = [ ../modules/nixos.nix ];
          programs.git.enable = true;
          programs.ssh.extraConfig = ''
            IdentityFile ${key}
            User mba
          '';
          environment.systemPackages = [ pkgs.tmux ];
          programs.fleetctl = {
            enable = true;
            package = fleetctl;
            settings = {
              fleet.name = "vm";
              defaults.repo = "~/nixcfg";
              hosts.one.kind = "nixos";
              hosts.two.kind = "nixos";
            };
          };
        };
    };

  testScript = ''
    import json

    start_all()
    operator.succeed("mkdir -p /etc/operator ~/.ssh && ssh-keygen -q -t ed25519 -N \"\" -f ${key}")
    public = operator.succeed("cat ${key}.pub").strip()
    checkout = "/home/mba/nixcfg"

    def commit(host, change):
        git = "git -c user.name=mba -c user.email=mba@example.invalid"
        host.succeed(f"su mba -c 'cd {checkout} && {change} && git add -A && {git} commit -q -m change'")

    def run(command, status):
        code, out = operator.execute(f"fleetctl {command} --output json")
        assert code == status, (code, out)
        return [json.loads(line) for line in out.splitlines()]

    def deploy(status, more=""):
        events = run(f"deploy --all --no-pull --yes {more}", status)
        return {e["host"]: e["result"] for e in events if e["type"] == "host_finished"}

    def status_of(name):
        return next(line["health"] for line in run("status", 0) if line["host"] == name)

    def shows(pattern):
        operator.wait_until_succeeds(f"tmux capture-pane -p -t table | grep -E '{pattern}'", timeout=60)

    for name, host in {"one": one, "two": two}.items():
        host.wait_for_unit("sshd.service")
        host.wait_for_open_port(22)
        host.succeed("install -d -o mba -m 700 /home/mba/.ssh")
        host.succeed(f"echo '{public}' | install -o mba -m 600 /dev/stdin /home/mba/.ssh/authorized_keys")
        operator.wait_until_succeeds(f"ssh-keyscan -t ed25519 {name} | grep . >>~/.ssh/known_hosts")
        host.succeed("echo 0 >/etc/status")
        host.succeed(f"su mba -c 'git init -q -b main {checkout}'")
        commit(host, "cat /etc/nixcfg.nix >flake.nix")

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
