# shellcheck shell=sh
# hold.sh: keeps its session open for a moment, so that others have to be opened next to it.
#
# uses: answer end_answer

main() {
  take "$@"
  answer held
  sleep 5
  end_answer
}
