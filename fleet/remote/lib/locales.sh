# shellcheck shell=sh
# locales.sh: lets the programs of root find their locales.

# set_locales sets $LOCALE_ARCHIVE to what it is in every login: see nixpkgs,
# nixos/modules/config/i18n.nix. A unit that systemd-run makes lacks it, so nixos-rebuild passes it
# on: the interpreter of switch-to-configuration starts before that sets a new one.
set_locales() {
  LOCALE_ARCHIVE=$sysroot/run/current-system/sw/lib/locale/locale-archive
  if [ -e "$LOCALE_ARCHIVE" ]; then export LOCALE_ARCHIVE; else unset LOCALE_ARCHIVE; fi
}
