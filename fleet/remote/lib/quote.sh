# shellcheck shell=sh
# quote.sh: writes text as a word of sh.

# quote TEXT sets $quoted to a word that sh reads as the text.
quote() {
  quoted='' unquoted=$1 apostrophe="'"
  while :; do
    case $unquoted in
      *"$apostrophe"*) ;;
      *) break ;;
    esac
    quoted=$quoted${unquoted%%"$apostrophe"*}"'\\''"
    unquoted=${unquoted#*"$apostrophe"}
  done
  quoted="'$quoted$unquoted'"
}
