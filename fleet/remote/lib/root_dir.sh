# shellcheck shell=sh
# root_dir.sh: finds what the root half publishes.

# find_root_dir sets $root_dir to the directory in which the root half of the job in $dir publishes
# its log and its answers. It is that of the job if there is no root half. It is empty after a
# restart of the host.
find_root_dir() { read -r root_dir 2>/dev/null <"$dir/root" || root_dir=$dir; }
