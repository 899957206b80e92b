# shellcheck shell=sh
# launch_agents.sh: finds out whether a Mac can load the LaunchAgents of a home.
#
# uses: fail macos

# check_launch_agents GENERATION fails if the generation has LaunchAgents that need a graphical
# session of the login user and there is none: home-manager's activation would fail after it had
# changed the home, and so would the way back. Older generations only print a warning. See
# home-manager, modules/launchd/default.nix.
check_launch_agents() {
  grep -q 'Failed to activate one or more LaunchAgents' "$1/activate" 2>/dev/null || return 0
  on_macos || return 0
  agents=''
  for agent in "$1/LaunchAgents"/*.plist; do
    agent=${agent##*/}
    domain=gui
    if [ -r "$1/LaunchAgentDomains/${agent%.plist}.domain" ]; then
      read -r domain <"$1/LaunchAgentDomains/${agent%.plist}.domain" || :
    fi
    if [ "$agent" != '*.plist' ] && [ "$domain" != user ]; then agents="$agents, ${agent%.plist}"; fi
  done
  if [ -z "$agents" ] || launchctl print "gui/$(id -u)" >/dev/null 2>&1; then return; fi
  fail no-gui-session "what=${agents#, }"
}
