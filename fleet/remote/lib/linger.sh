# shellcheck shell=sh
# linger.sh: checks for units that outlive a login.

# lingers reports whether the systemd manager of the login user runs without a login.
lingers() { [ -e "$sysroot/var/lib/systemd/linger/$user" ]; }
