# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# env.sh: where things are on a host, and how arguments become variables. Every script begins with it.
#
# A job must not be felt on a small machine: what the shell can do by itself, it does, since each process that it starts costs more
# than a hundred of its lines.
#
# $FLEETCTL_ROOT, unset on a real host, goes before the paths of the system and of Nix: so a host can live in a directory.

set -eu
umask 077

R=${FLEETCTL_ROOT:-}
: "${HOME:=$(cd ~ && pwd)}"
user=${LOGNAME:-$(id -un)}

# A non-login shell on macOS has none of Nix's directories, and a systemd unit has next to nothing. The wrappers come
# first: NixOS's sudo is only there.
PATH=$R/run/wrappers/bin:$HOME/.nix-profile/bin:${XDG_STATE_HOME:-$HOME/.local/state}/nix/profile/bin:$R/etc/profiles/per-user/$user/bin:$R/nix/var/nix/profiles/default/bin:$R/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin${PATH:+:$PATH}
export PATH

state=${XDG_STATE_HOME:-$HOME/.local/state}/fleetctl
jobs=$state/jobs

# take NAME=VALUE...: sets the variables. The names are fleetctl's own; the values may be any bytes.
take() {
  for pair in "$@"; do
    case $pair in
      health=*) ;; # may come more than once: verify reads them where they are
      *) eval "${pair%%=*}=\${pair#*=}" ;;
    esac
  done
}

# draw_nonce sets $nonce to what no build can guess.
draw_nonce() {
  # shellcheck disable=SC2046
  set -- $(od -An -N16 -tx4 /dev/urandom)
  nonce=$1$2$3$4
}

# has COMMAND: whether the host has it.
has() { command -v "$1" >/dev/null 2>&1; }

# one_line TEXT sets $line to TEXT without line breaks.
one_line() {
  case $1 in
    *[[:cntrl:]]*) line=$(printf '%s' "$1" | tr '\n\r\t' '   ') ;;
    *) line=$1 ;;
  esac
}

# answer WORD...: the header line of this session.
answer() { printf '@%s %s\n' "$token" "$*"; }

# refuse CODE [KEY=VALUE...]: the header that says why nothing was begun. text= comes last, and may have blanks.
refuse() {
  answer refused "$@"
  exit 0
}

# know_boot sets $this_boot to what tells one boot of this host from another.
know_boot() {
  this_boot=''
  read -r this_boot 2>/dev/null <"$R/proc/sys/kernel/random/boot_id" || this_boot=$(sysctl -n kern.bootsessionuuid 2>/dev/null) || this_boot=-
}

# there DIRECTORY: its physical path, or nothing.
there() { (cd -P -- "$1" 2>/dev/null && pwd -P) || :; }

# clock sets $now to the seconds of a clock that nobody sets, where the host has one: a switch may well set the other.
clock() {
  if read -r now _ 2>/dev/null </proc/uptime; then now=${now%%.*}; else now=$(date +%s); fi
}

# limit SECONDS COMMAND...: its status, or 124 where it took longer and was ended. It stays in the job's process group.
limit() {
  limit_seconds=$1
  shift
  "$@" &
  limit_child=$!
  (
    nap='' spent=0
    trap 'kill $nap 2>/dev/null || :; exit "$spent"' TERM
    sleep "$limit_seconds" &
    nap=$!
    wait "$nap"
    spent=3
    kill -TERM "$limit_child"
    sleep 10 &
    nap=$!
    wait "$nap"
    kill -KILL "$limit_child"
    exit "$spent"
  ) >/dev/null 2>&1 &
  limit_watch=$!
  limit_status=0 watch_status=0
  wait "$limit_child" || limit_status=$?
  kill "$limit_watch" 2>/dev/null || :
  # Killed before it has set its trap, it would be remarked upon.
  wait "$limit_watch" 2>/dev/null || watch_status=$?
  [ "$watch_status" != 3 ] || limit_status=124
  return "$limit_status"
}
