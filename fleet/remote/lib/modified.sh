# shellcheck shell=sh
# modified.sh: finds how old a link is.

# modified LINK prints when the link itself was made, in seconds since 1970. A generation is as old
# as the link to it.
modified() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null; }
