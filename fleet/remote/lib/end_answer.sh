# shellcheck shell=sh
# end_answer.sh: marks the end of an answer.
#
# inputs: token

# end_answer prints the last line of an answer. Without it, fleetctl takes the answer for a part.
end_answer() { printf '@%s end\n' "$token"; }
