# The agent on a host: socket activation, access control, the sandbox, and the idle exit.
{ fleetctl }:
{
  name = "fleetctl-agent";

  nodes.host = {
    imports = [ ../modules/nixos.nix ];
    services.fleetctl-agent = {
      enable = true;
      package = fleetctl;
      operators = [ "mba" ];
      idle = 5;
    };
    users.users.mba.isNormalUser = true;
    users.users.guest.isNormalUser = true;
  };

  testScript = ''
    import json

    socket = "/run/fleetctl-agent/agent.sock"

    def curl(path):
        return f"curl -sSf --unix-socket {socket} http://agent/v1/{path}"

    def health():
        return json.loads(host.succeed(curl("health")))

    host.wait_for_unit("fleetctl-agent.socket")

    with subtest("the first connection starts the agent"):
        host.fail("systemctl is-active fleetctl-agent.service")
        assert json.loads(host.succeed(f"su mba -c '{curl('version')}'"))["api"] == 1
        host.succeed("systemctl is-active fleetctl-agent.service")

    with subtest("only operators can connect"):
        seen = json.loads(host.succeed(f"su mba -c '{curl('health')}'"))
        assert seen["kind"] == "nixos" and seen["host"] == "host", seen
        assert seen["system"]["deployed"].startswith("/nix/store/"), seen
        host.fail(f"su guest -c '{curl('health')}'")
        assert "group fleetctl (mba) may connect" in host.succeed("su mba -c 'fleetctl check --local'")
        code, out = host.execute("su guest -c 'fleetctl check --local' 2>&1")
        assert code == 1 and "may not connect" in out, out

    with subtest("failed units are reported"):
        host.execute("systemd-run --unit=broken --wait false")
        host.wait_until_succeeds(f"{curl('health')} | grep -F broken.service", timeout=10)
        host.succeed("systemctl reset-failed broken.service")

    with subtest("the sandbox is in effect"):
        host.succeed("systemd-analyze security --threshold=6 fleetctl-agent.service")
        # A watch keeps the agent running.
        host.succeed(f"systemd-run --unit=watcher -- {curl('watch')}")
        host.wait_until_succeeds("systemctl is-active fleetctl-agent.service")
        pid = host.succeed("systemctl show -P MainPID fleetctl-agent.service").strip()
        status = host.succeed(f"cat /proc/{pid}/status")
        for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]:
            assert line in status, status
        for directory in ["/home", "/root", "/tmp"]:
            assert host.succeed(f"stat -c %a /proc/{pid}/root{directory}").strip() == "0", directory
        # It has no network interface except its own loopback.
        assert host.succeed(f"nsenter --net --target {pid} -- ip -o link").count("\n") == 1
        host.succeed("systemctl stop watcher.service")

    with subtest("the agent exits when idle"):
        host.wait_until_fails("systemctl is-active fleetctl-agent.service", timeout=30)
        host.succeed("systemctl is-active fleetctl-agent.socket")
        assert health()["host"] == "host"
  '';
}
