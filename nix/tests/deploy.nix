# An operator and two hosts whose login shell is fish: deploy --all over sshd. The hosts' configuration is a flake whose systems are
# small derivations, so that nothing is fetched; what is around them is NixOS.
{ fleetctl }:
let
  key = "/etc/operator/key";
in
{
  name = "fleetctl-deploy";

  nodes =
    let
      host =
        { pkgs, ... }:
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
          nix.settings.experimental-features = [
            "nix-command"
            "flakes"
          ];
          nix.settings.trusted-users = [ "mba" ];
          nix.settings.sandbox = false;
        };
    in
    {
      one = host;
      two = host;
      operator =
        { ... }:
        {
          imports = [ ../modules/nixos.nix ];
          programs.git.enable = true;
          programs.ssh.extraConfig = ''
            IdentityFile ${key}
            User mba
          '';
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
    hosts = {"one": one, "two": two}
    operator.succeed("mkdir -p /etc/operator && ssh-keygen -q -t ed25519 -N \"\" -f ${key}")
    public = operator.succeed("cat ${key}.pub").strip()
    for name, host in hosts.items():
        host.wait_for_unit("sshd.service")
        host.succeed(f"install -d -o mba -m 700 /home/mba/.ssh && echo '{public}' >/home/mba/.ssh/authorized_keys && chown mba /home/mba/.ssh/authorized_keys")
        operator.succeed(f"mkdir -p ~/.ssh && ssh-keyscan -t ed25519 {name} >>~/.ssh/known_hosts")
        # The system that runs, with a switch that exits with what /etc/status says.
        host.succeed("mkdir -p /home/mba/nixcfg && echo 0 >/etc/status")
        host.copy_from_host("${./system-flake.nix}", "/home/mba/nixcfg/flake.nix")
        host.succeed("cd /home/mba/nixcfg && git init -q -b main && git add -A && git -c user.name=m -c user.email=m@example.invalid commit -q -m first")
        host.succeed("chown -R mba /home/mba/nixcfg")

    def deploy(status):
        code, out = operator.execute("fleetctl deploy --all --no-pull --yes --output json")
        assert code == status, (code, out)
        return {e["host"]: e["result"] for e in map(json.loads, out.splitlines()) if e["type"] == "host_finished"}

    with subtest("both hosts switch, and then have nothing to do"):
        assert {r["outcome"] for r in deploy(0).values()} == {"switched"}
        assert {r["outcome"] for r in deploy(0).values()} == {"unchanged"}

    with subtest("exit status 4 is degraded"):
        one.succeed("echo 4 >/etc/status")
        one.succeed("cd /home/mba/nixcfg && echo '# more' >>flake.nix && su mba -c \"git -c user.name=m -c user.email=m@example.invalid commit -q -a -m more\"")
        results = deploy(1)
        assert results["one"]["outcome"] == "degraded", results
        assert results["two"]["outcome"] == "unchanged", results

    with subtest("the agent is reached through SSH"):
        operator.succeed("ssh -N -f -L /tmp/one.sock:/run/fleetctl-agent/agent.sock one")
        health = json.loads(operator.succeed("curl -sSf --unix-socket /tmp/one.sock http://agent/v1/health"))
        assert health["host"] == "one", health
  '';
}
