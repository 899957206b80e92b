# shellcheck shell=sh
# substituters.sh: finds substituters that do not answer. Nix treats one as fatal, unless it may
# fall back to building: see querySubstitutablePathInfos in Nix, src/libstore/misc.cc. Those that
# answer can be set by every user, also by one whom Nix does not trust: see ClientSettings in
# src/libstore/daemon.cc.
#
# uses: limit nix_within
# inputs: nix_option...

# find_substituters ARGUMENT... takes the arguments of the script. It sets $silent to the
# substituters that do not answer, and $substituters to the others.
find_substituters() {
  silent='' substituters='' probes='' asked=0
  for argument in "$@"; do
    shift
    case $argument in
      nix_option=*)
        argument=${argument#*=}
        set -- "$@" --option "${argument%% *}" "${argument#* }"
        ;;
    esac
  done
  find_configured "$@"
  set -f # a URL may have a question mark
  for url in $configured; do
    case $url in
      http://* | https://*)
        asked=$((asked + 1))
        probe_substituter "$url" "$@" >"$dir/substituter.$asked" 2>&1 </dev/null &
        probes="$probes $!"
        ;;
    esac
  done
  for probe in $probes; do wait "$probe" || :; done
  asked=0
  for url in $configured; do
    case $url in
      http://* | https://*)
        asked=$((asked + 1))
        if is_silent "$dir/substituter.$asked"; then
          silent="${silent:+$silent }$url"
          continue
        fi
        ;;
    esac
    substituters="${substituters:+$substituters }$url"
  done
  set +f
  rm -f "$dir"/substituter.*
}

# find_configured OPTION... sets $configured to the substituters of a build. Older versions of Nix
# have "config show" without an argument, or only as show-config.
find_configured() {
  configured=$(nix_within 10 config show substituters "$@" 2>/dev/null </dev/null) ||
    configured=$(nix_within 10 show-config "$@" 2>/dev/null </dev/null | sed -n 's/^substituters = //p')
}

# probe_substituter URL OPTION... has Nix ask the substituter for a path that does not exist: the
# query that would fail the build, by the process that would make it (the daemon, with its proxy,
# certificates and netrc), and one that no cache can answer. Nix retries a refused connection for
# five seconds.
probe_substituter() {
  asked_path=${NIX_STORE_DIR:-/nix/store}/$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | tr e g)-fleetctl
  probed=$1
  shift
  probe_status=0
  limit 3 nix-store --realise --dry-run --log-format internal-json "$asked_path" "$@" \
    --option connect-timeout 2 --option substituters "$probed" || probe_status=$?
  echo "exit $probe_status"
}

# is_silent FILE reports whether a probe could not connect, or got no answer before it was killed.
# An HTTP error is an answer.
is_silent() {
  awk '
    { gsub(/\\u001b\[[0-9;]*m/, "") } # Nix has colors even in JSON
    /HTTP error/ { answered = 1 }
    /unable to download/ && !/HTTP error/ && !/retrying in/ { failed = 1 }
    /"type":101/ { asked = 1 } # FileTransfer
    { last = $0 }
    END { exit !(failed || last == "exit 124" && asked && !answered) }' "$1"
}
