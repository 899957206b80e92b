# shellcheck shell=sh
# git_command.sh: sets $git_command, the words that run git so that it never prompts, takes no lock
# that it does not need, and prints messages in English for programs that read them.

git_command='env LC_ALL=C GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never GIT_OPTIONAL_LOCKS=0 git'
