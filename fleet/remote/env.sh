# shellcheck shell=sh
# env.sh: the start of every script: strict mode, and a PATH that finds Nix.
#
# The umask is that of the login, as the user's own git, Nix and commands would have it. Fleetctl's
# own files are in directories that only their owner can enter: see launch.sh.
#
# A deploy must not slow down a small machine. Starting a process costs more than running a hundred
# lines of shell, so the scripts do in the shell what the shell can do.
#
# $FLEETCTL_ROOT is unset on a real host. Tests and the demo set it to a directory that stands in
# for the root of the host.

set -eu

sysroot=${FLEETCTL_ROOT:-}
: "${HOME:=$(cd ~ && pwd)}"
user=${LOGNAME:-$(id -un)}

# A non-login shell on macOS has none of Nix's directories in PATH, and a systemd unit has hardly
# any. The wrappers come first because they are the only place where NixOS has sudo.
wrappers=$sysroot/run/wrappers/bin
# A user of a Mac may own /usr/local/bin, so in the PATH of root it comes last.
system_path=$sysroot/nix/var/nix/profiles/default/bin:$sysroot/run/current-system/sw/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin
PATH=$wrappers:$HOME/.nix-profile/bin:${XDG_STATE_HOME:-$HOME/.local/state}/nix/profile/bin:$sysroot/etc/profiles/per-user/$user/bin:/usr/local/bin:$system_path${PATH:+:$PATH}
export PATH
