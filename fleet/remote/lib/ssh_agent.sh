# shellcheck shell=sh
# ssh_agent.sh: finds out whether the ssh-agent that the operator has forwarded is still there.

# agent_is_gone reports whether there was an ssh-agent, and is none anymore.
agent_is_gone() { [ -n "${SSH_AUTH_SOCK:-}" ] && [ ! -S "$SSH_AUTH_SOCK" ]; }
