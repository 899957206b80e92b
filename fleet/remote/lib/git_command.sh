# shellcheck shell=sh
# git_command.sh: sets $git_command, the words that run git with these settings.
#
# uses: git_settings

git_command="env $git_settings git"
