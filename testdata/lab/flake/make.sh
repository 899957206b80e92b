# make.sh: builds the system or the home of a machine, following its directives (see flake.nix). Its
# variables come from the derivation.
# shellcheck shell=sh disable=SC2154
set -eu

# directive NAME prints the argument of a directive, "yes" if it has none, and nothing if it is not
# set.
directive() {
  printf '%s\n' "$directives" | while read -r name argument _; do
    if [ "$name" = "$1" ]; then echo "${argument:-yes}"; fi
  done
}

seconds=$(directive slow-build)
second=0
while [ "$second" -lt "${seconds:-0}" ]; do
  second=$((second + 1))
  echo "compiling part $second of $seconds"
  sleep 1
done
lines=$(directive loud-build)
if [ -n "$lines" ]; then seq -f 'line %g of the build' "$lines"; fi
if [ -n "$(directive fail-build)" ]; then
  echo "error: $machine has a part that does not compile" >&2
  exit 1
fi

mkdir -p "$out/bin" "$out/sw/bin" "$out/kernel-modules"
status=$(directive fail-switch)
pause=$(directive slow-switch)

# activation prints the start of each activation script.
activation() {
  cat <<SCRIPT
#!/bin/sh
echo "activating $machine, revision $revision"
n=0
while [ \$n -lt ${pause:-0} ]; do
  n=\$((n + 1))
  echo "starting unit \$n of ${pause:-0}"
  sleep 1
done
SCRIPT
}

case $shape in
  home-manager-generation)
    echo 1 >"$out/gen-version"
    # Like home-manager's: what comes before writeBoundary only checks (modules/files.nix).
    { activation; echo 'echo "Activating writeBoundary"'; echo "exit ${status:-0}"; } >"$out/activate"
    chmod +x "$out/activate"
    exit 0
    ;;
esac

echo 26.05.lab >"$out/nixos-version"
echo init >"$out/init"
echo initrd >"$out/initrd"
echo "kernel $(directive new-kernel)" >"$out/kernel"
{
  cat <<SCRIPT
#!/bin/sh
[ "\$1" != boot ] || exit 0
SCRIPT
  # The real one exits with 100 before it activates anything, and its activation script moves the
  # link last: nixpkgs, pkgs/by-name/sw/switch-to-configuration-ng/src/src/main.rs and
  # nixos/modules/system/activation/activation-script.nix.
  if [ "$status" = 100 ]; then echo 'exit 100'; fi
  echo "echo 'activating the configuration...' >&2"
  activation | tail -n +2
  if [ -n "$(directive cut-ssh)" ]; then
    echo 'systemctl stop ssh.service ssh.socket'
    echo 'pkill -x sshd-session || true'
  else
    echo 'systemctl start ssh.service'
  fi
  cat <<SCRIPT
ln -sfn $out /run/current-system
[ -e /run/booted-system ] || ln -sfn $out /run/booted-system
SCRIPT
  if [ "$status" = 4 ]; then echo "echo 'warning: the following units failed: lab-unit.service' >&2"; fi
  echo "exit ${status:-0}"
} >"$out/bin/switch-to-configuration"
cat >"$out/sw/bin/nixos-version" <<SCRIPT
#!/bin/sh
echo '{"configurationRevision":"$revision","nixosVersion":"26.05.lab","nixpkgsRevision":""}'
SCRIPT
chmod +x "$out/bin/switch-to-configuration" "$out/sw/bin/nixos-version"
