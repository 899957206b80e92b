# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# reboot.sh: starts this host anew, a second after it has said so: the boot it is in stands in the header. A host on which a job is at
# work is left alone. Standard input, after the script, has nothing but a sudo password, and only once its prompt was seen.

main() {
  take "$@"
  know_boot
  if holder=$(readlink "$state/lock" 2>/dev/null) && alive "$holder"; then
    # shellcheck disable=SC2046
    refuse locked $(whose "$holder")
  fi
  if has systemctl; then set -- "$(command -v systemctl)" reboot; else set -- "$(command -v shutdown)" -r now; fi
  case $1 in
    "$R"/*) ;;
    *) refuse no-reboot ;; # none, or not this host's own
  esac
  as_root "$@"
  answer rebooting "$this_boot"
}

# as_root COMMAND...: lets root run it, detached, in a second.
as_root() {
  later="nohup $(detach) sh -c 'sleep 1; exec \"\$@\"' sh \"\$@\" >/dev/null 2>&1 </dev/null &"
  if [ "$(id -u)" = 0 ]; then
    sh -c "$later" sh "$@"
  elif ! has sudo; then
    refuse no-sudo
  elif [ -n "$prompt" ]; then
    sudo -S -k -p "$prompt" -- sh -c "$later" sh "$@" || refuse sudo-wrong
  else
    said=$(LC_ALL=C sudo -n -- sh -c "$later" sh "$@" 2>&1 </dev/null) || case $said in
      *password*) refuse sudo-password ;;
      *)
        one_line "$said"
        refuse sudo-denied "text=$line"
        ;;
    esac
  fi
}
