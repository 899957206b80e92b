# shellcheck shell=sh
# macos.sh: recognizes a Mac.

# on_macos reports whether this host is a Mac.
on_macos() { [ "$(uname -s)" = Darwin ]; }
