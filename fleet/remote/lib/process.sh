# shellcheck shell=sh
# process.sh: recognizes the processes of jobs.
#
# uses: boot_id has

# process_lives PID BOOT WORD reports whether the process lives in the current boot and is one of
# fleetctl's, which have WORD in their command line.
process_lives() {
  [ "$2" = "$boot_id" ] || return 1
  command_line=''
  if [ -r /proc/self/cmdline ]; then
    # The words end in zero bytes, which the shell drops, and the last has no newline.
    read -r command_line 2>/dev/null <"/proc/$1/cmdline" || :
  elif has ps; then
    command_line=$(ps -p "$1" -o args= 2>/dev/null) || :
  else
    kill -0 "$1" 2>/dev/null
    return
  fi
  case $command_line in
    *"$3"* | *sh-s* | *"sh -s"*) return 0 ;;
  esac
  return 1
}
