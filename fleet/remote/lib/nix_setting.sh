# shellcheck shell=sh
# nix_setting.sh: reads the settings of Nix.
#
# uses: nix_within

# nix_setting NAME prints the value of a setting. Older versions of Nix have "config show" without
# an argument, or only as show-config.
nix_setting() {
  nix_within 10 config show "$1" 2>/dev/null </dev/null ||
    nix_within 10 show-config 2>/dev/null </dev/null | sed -n "s/^$1 = //p"
}
