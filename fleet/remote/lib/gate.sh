# shellcheck shell=sh
# gate.sh: decides between activation and cancellation.

# pass_gate ends the job if it was canceled. From here on it cannot be: the process
# that makes the link first decides.
pass_gate() {
  ln -s activate "$dir/gate" 2>/dev/null || finish cancelled cancelled before=activate
}
