# The agent on a host: it starts when somebody asks, answers those who may, and its sandbox holds.
{ fleetctl }:
{
  name = "fleetctl-agent";

  nodes.host =
    { ... }:
    {
      imports = [ ../modules/nixos.nix ];
      services.fleetctl-agent = {
        enable = true;
        package = fleetctl;
        operators = [ "mba" ];
        idle = 5;
      };
      programs.fleetctl = {
        enable = true;
        package = fleetctl;
      };
      users.users.mba.isNormalUser = true;
      users.users.guest.isNormalUser = true;
    };

  testScript = ''
    import json

    host.wait_for_unit("fleetctl-agent.socket")
    host.fail("systemctl is-active fleetctl-agent.service")

    with subtest("an operator is answered, others are not"):
        health = json.loads(host.succeed("su mba -c 'curl -sSf --unix-socket /run/fleetctl-agent/agent.sock http://agent/v1/health'"))
        assert health["kind"] == "nixos" and health["host"] == "host", health
        assert health["system"]["deployed"].startswith("/nix/store/"), health
        host.fail("su guest -c 'curl -sSf --unix-socket /run/fleetctl-agent/agent.sock http://agent/v1/health'")
        host.succeed("su mba -c 'fleetctl check --local'")

    with subtest("a unit that failed is named"):
        host.execute("systemd-run --unit=broken --wait false")
        host.succeed("sleep 1")
        health = json.loads(host.succeed("curl -sSf --unix-socket /run/fleetctl-agent/agent.sock http://agent/v1/health"))
        assert health["failed_units"] == ["broken.service"], health

    with subtest("the sandbox holds"):
        host.succeed("systemd-analyze security --threshold=6 fleetctl-agent.service")
        pid = host.succeed("systemctl show -P MainPID fleetctl-agent.service").strip()
        status = host.succeed(f"cat /proc/{pid}/status")
        for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]:
            assert line in status, status
        for directory in ["/home", "/root", "/tmp"]:
            assert host.succeed(f"stat -c %a /proc/{pid}/root{directory}").strip() == "0", directory
        assert host.succeed(f"nsenter --net --target {pid} -- ip -o link").count("\n") == 1

    with subtest("it leaves when nobody asks"):
        host.wait_until_fails("systemctl is-active fleetctl-agent.service", timeout=30)
        host.succeed("systemctl is-active fleetctl-agent.socket")
  '';
}
