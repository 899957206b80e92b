# shellcheck shell=sh
# one_line.sh: makes text fit for a line of the protocol.

# one_line TEXT sets $line to the text with its line breaks and tabs replaced by spaces.
one_line() {
  case $1 in
    *[[:cntrl:]]*) line=$(printf '%s' "$1" | tr '\n\r\t' '   ') ;;
    *) line=$1 ;;
  esac
}
