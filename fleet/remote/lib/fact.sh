# shellcheck shell=sh
# fact.sh: reports facts.
#
# uses: mark one_line

# fact KEY VALUE reports a fact.
fact() { one_line "$2" && mark fact "$1" "$line"; }
