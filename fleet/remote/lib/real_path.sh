# shellcheck shell=sh
# real_path.sh: resolves symbolic links.

# real_path DIRECTORY prints the physical path of the directory, or nothing if there is none.
real_path() { (cd -P -- "$1" 2>/dev/null && pwd -P) || :; }
