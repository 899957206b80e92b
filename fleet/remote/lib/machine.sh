# shellcheck shell=sh
# machine.sh: identifies machines.
#
# uses: boot_id host_name

# machine prints a word that two entries of an inventory share only if they are one machine. The ID
# of a machine does not suffice, because copies of a virtual machine share it, nor does that of its
# boot, which containers share.
machine() {
  machine_id=''
  read -r machine_id 2>/dev/null <"$sysroot/etc/machine-id" || machine_id=$(sysctl -n kern.uuid 2>/dev/null) || machine_id=-
  echo "$machine_id/$boot_id/$host_name"
}
