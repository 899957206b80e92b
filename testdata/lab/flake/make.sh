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

mkdir -p "$out/bin" "$out/sw/bin"
status=$(directive fail-switch)
pause=$(directive slow-switch)

# activation FILE prints the part of an activation that changes the machine. It first notes in FILE
# what is being activated, so that testdata/lab/look sees an activation that stopped halfway.
activation() {
  cat <<SCRIPT
echo "$out" >"$1"
echo "activating $machine, revision $revision"
n=0
while [ \$n -lt ${pause:-0} ]; do
  n=\$((n + 1))
  echo "starting unit \$n of ${pause:-0}"
  sleep 1
done
SCRIPT
  if [ -n "$(directive die-switch)" ]; then
    # shellcheck disable=SC2016 # for the activation script
    echo 'kill -KILL $$'
  fi
}

case $shape in
  home-manager-generation)
    echo 1 >"$out/gen-version"
    mkdir -p "$out/home-files/.lab"
    echo "$revision" >"$out/home-files/.lab-revision"
    echo "$revision" >"$out/home-files/.lab/${out##*/}"
    # The order is that of home-manager: checks, writeBoundary, links, and at the end the root of
    # the generation, which the next activation cleans up after (modules/home-environment.nix,
    # modules/files.nix).
    {
      cat <<'SCRIPT'
#!/bin/sh
set -eu
echo "Starting Home Manager activation"
echo "Activating checkLinkTargets"
SCRIPT
      if [ -n "$(directive fail-check)" ]; then
        cat <<'SCRIPT'
echo "Existing file '$HOME/.lab-revision' would be clobbered" >&2
exit 1
SCRIPT
      fi
      cat <<SCRIPT
echo "Activating writeBoundary"
echo "Activating linkGeneration"
new=$out
SCRIPT
      cat <<'SCRIPT'
root=${XDG_STATE_HOME:-$HOME/.local/state}/home-manager/gcroots/current-home
old=$(readlink "$root" || :)
if [ -n "$old" ] && [ "$old" != "$new" ]; then
  (cd "$old/home-files" && find . ! -type d) | while read -r file; do
    if [ -e "$new/home-files/$file" ]; then continue; fi
    rm -f "$HOME/$file"
  done
fi
(cd "$new/home-files" && find . ! -type d) | while read -r file; do
  mkdir -p "$(dirname "$HOME/$file")"
  ln -sfn "$new/home-files/${file#./}" "$HOME/${file#./}"
done
SCRIPT
      # shellcheck disable=SC2016 # for the activation script
      activation '$HOME/.lab-activation'
      if [ -n "$status" ]; then echo "exit $status"; fi
      cat <<'SCRIPT'
mkdir -p "${root%/*}"
ln -sfn "$new" "$root"
SCRIPT
    } >"$out/activate"
    chmod +x "$out/activate"
    exit 0
    ;;
esac

case $specialisation in
  /*)
    mkdir "$out/specialisation"
    ln -s "$specialisation" "$out/specialisation/quiet"
    ;;
esac
echo 26.05.lab >"$out/nixos-version"
echo "$payload" >"$out/payload"
echo init >"$out/init"
ln -s "$initrd" "$out/initrd"
ln -s "$kernel" "$out/kernel"
ln -s "$initrd" "$out/kernel-modules"
# The order is that of nixpkgs: the checks before the switch; status 100 if the init of the new
# system is incompatible; the activation script, which moves the link last; then the units. See
# pkgs/by-name/sw/switch-to-configuration-ng/src/src/main.rs and
# nixos/modules/system/activation/activation-script.nix.
{
  cat <<SCRIPT
#!/bin/sh
[ "\$1" != boot ] || exit 0
SCRIPT
  if [ -n "$(directive fail-check)" ]; then
    cat <<'SCRIPT'
echo "Pre-switch check 'lab' failed" >&2
echo 'Pre-switch checks failed' >&2
exit 1
SCRIPT
  fi
  if [ "$status" = 100 ]; then echo 'exit 100'; fi
  echo "echo 'activating the configuration...' >&2"
  activation /etc/lab-activation
  cat <<SCRIPT
ln -sfn $out /run/current-system
# A host of the lab boots without a system: the first one counts as booted.
[ -e /run/booted-system ] || ln -sfn $out /run/booted-system
SCRIPT
  echo "systemctl stop lab-unit.service 2>/dev/null"
  echo "systemctl reset-failed lab-unit.service 2>/dev/null"
  if [ "$status" = 4 ]; then
    echo "systemd-run --quiet --unit=lab-unit.service --service-type=oneshot false 2>/dev/null"
    echo "echo 'warning: the following units failed: lab-unit.service' >&2"
  fi
  if [ -n "$(directive cut-ssh)" ]; then
    echo 'systemctl stop ssh.service ssh.socket'
    echo 'pkill -x sshd-session || true'
  else
    echo 'systemctl start ssh.service'
  fi
  echo "exit ${status:-0}"
} >"$out/bin/switch-to-configuration"
cat >"$out/sw/bin/nixos-version" <<SCRIPT
#!/bin/sh
echo '{"configurationRevision":"$revision","nixosVersion":"26.05.lab","nixpkgsRevision":""}'
SCRIPT
chmod +x "$out/bin/switch-to-configuration" "$out/sw/bin/nixos-version"
