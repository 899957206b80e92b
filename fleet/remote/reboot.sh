# shellcheck shell=sh
# reboot.sh: reboots the host, one second after it has printed a header with the ID of the current
# boot. It refuses while a job is running. After the script, standard input has nothing but a sudo
# password, and only once fleetctl has seen the prompt.
#
# uses: boot_id describe_job detach has holder refuse refuse_root reply sudo
# inputs: prompt

main() {
  take "$@"
  read_boot_id
  if find_holder; then
    # shellcheck disable=SC2046 # several words
    refuse locked $(describe_job "$holder")
  fi
  if has systemctl; then set -- "$(command -v systemctl)" reboot; else set -- "$(command -v shutdown)" -r now; fi
  case $1 in
    "$sysroot"/*) ;;
    *) refuse no-reboot ;; # there is none, or it is not that of this host
  esac
  request_reboot "$@"
  [ $root_status = 0 ] || refuse_root
  reply rebooting "$boot_id"
}

# request_reboot COMMAND... has root run the command in a second.
request_reboot() {
  if [ "$(id -u)" != 0 ] && find_root_program && [ "${root_program##*/}" = run0 ]; then
    # A service of run0 must end with its command: it has PAM, and then systemd rejects other kill
    # modes (service_verify in systemd, src/core/service.c).
    as_root systemd-run --quiet --collect --on-active=1 --timer-property=AccuracySec=100ms -- "$@"
    return
  fi
  # The detached shell runs its parameters.
  # shellcheck disable=SC2016,SC2046 # the shells of root expand them; several words
  as_root /bin/sh -c 'trap "" HUP; "$@" >/dev/null 2>&1 </dev/null &' sh $(detach) /bin/sh -c 'sleep 1; exec "$@"' sh "$@"
}
