# shellcheck shell=sh
# git_settings.sh: sets $git_settings, assignments with which git never prompts, takes no lock that
# it does not need, and prints messages in English for programs that read them.

git_settings='LC_ALL=C GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never GIT_OPTIONAL_LOCKS=0'
