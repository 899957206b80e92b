# shellcheck shell=sh
# answer.sh: prints the header of the session.
#
# inputs: token

# answer WORD... prints the header line.
answer() { printf '@%s %s\n' "$token" "$*"; }
