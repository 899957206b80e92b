# Python for the scripts of the tests with an operator.
{ key }:
''
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

  def prepare(name, host):
      host.wait_for_unit("sshd.service")
      host.wait_for_open_port(22)
      host.succeed("install -d -o mba -m 700 /home/mba/.ssh")
      host.succeed(f"echo '{public}' | install -o mba -m 600 /dev/stdin /home/mba/.ssh/authorized_keys")
      operator.wait_until_succeeds(f"ssh-keyscan -t ed25519 {name} | grep . >>~/.ssh/known_hosts")
      host.succeed(f"su mba -c 'git init -q -b main {checkout}'")
      commit(host, "cat /etc/nixcfg.nix >flake.nix")

''
