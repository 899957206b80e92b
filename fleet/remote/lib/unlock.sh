# shellcheck shell=sh
# unlock.sh: releases the lock of the host.

# unlock JOB releases the host if that job holds it.
unlock() {
  if [ "$(readlink "$state/lock" 2>/dev/null)" = "$1" ]; then rm -f "$state/lock"; fi
}
