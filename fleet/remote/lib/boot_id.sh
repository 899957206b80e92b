# shellcheck shell=sh
# boot_id.sh: identifies the current boot of the host.

# read_boot_id sets $boot_id.
read_boot_id() {
  boot_id=''
  read -r boot_id 2>/dev/null <"$sysroot/proc/sys/kernel/random/boot_id" ||
    boot_id=$(sysctl -n kern.bootsessionuuid 2>/dev/null) ||
    boot_id=-
}
