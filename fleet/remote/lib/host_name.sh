# shellcheck shell=sh
# host_name.sh: finds out what the host calls itself.

# read_host_name sets $host_name, without a domain.
read_host_name() {
  host_name=''
  read -r host_name 2>/dev/null <"$sysroot/proc/sys/kernel/hostname" || host_name=$(uname -n)
  host_name=${host_name%%.*}
}
