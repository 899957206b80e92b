# shellcheck shell=sh
# git_output.sh: what git printed, before it gets into a log.
#
# uses: redact

# redact_git_output hides the secrets of $dir/git. Git prints the URLs of submodules and of LFS as
# they are configured.
redact_git_output() {
  [ -s "$dir/git" ] || return 0
  redact <"$dir/git" >"$dir/git.redacted"
  mv -f "$dir/git.redacted" "$dir/git"
}
