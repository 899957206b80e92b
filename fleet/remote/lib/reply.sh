# shellcheck shell=sh
# reply.sh: prints an answer that is only a header.
#
# uses: answer end_answer

# reply WORD... prints the header line and the end of the answer.
reply() {
  answer "$@"
  end_answer
}
