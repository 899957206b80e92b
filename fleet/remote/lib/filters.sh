# shellcheck shell=sh
# filters.sh: finds the programs of git's filters, such as git-lfs and git-crypt, as the user's own
# git finds them.
#
# uses: git_command has limit

# find_filters adds the PATH of a login to the end of $PATH if the configuration of the checkout
# names a program that only that may have. The shells of a session read less than those of a login:
# that of macOS lacks what Homebrew adds, for example.
find_filters() {
  filter_dir=$checkout
  [ -d "$filter_dir" ] || filter_dir=/
  while read -r _ filter_program _; do
    filter_program=${filter_program#\"}
    filter_program=${filter_program%\"}
    if [ -n "$filter_program" ] && ! has "$filter_program"; then
      add_login_path
      return
    fi
  done <<FILTERS
$($git_command -C "$filter_dir" config --get-regexp '^filter\..*\.(clean|smudge|process)$' 2>/dev/null)
FILTERS
}

add_login_path() {
  # shellcheck disable=SC2016 # the login shell expands it
  login_path=$(limit 5 "${SHELL:-/bin/sh}" -l -c 'printf "\n@PATH %s\n" "$PATH"' 2>/dev/null </dev/null | sed -n 's/^@PATH //p' | tail -n 1)
  if [ -n "$login_path" ]; then PATH=$PATH:$login_path; fi
}
