# shellcheck shell=sh
# cause.sh: finds out why an activation failed, from what it printed. The script that uses it
# defines activation_output.
#
# uses: macos
# inputs: kind

# find_cause sets $cause to the code of the reason, or to "activation" if there is none that is
# known, and $what to the files, agents or checks that it is about.
#
# The messages are those of nixpkgs, nixos/modules/system/activation/pre-switch-check.nix; of
# home-manager, modules/files/check-link-targets.sh, modules/launchd/default.nix and
# modules/targets/darwin/copyapps.nix; and of nix-darwin, modules/system/checks.nix,
# modules/system/applications.nix, modules/system/etc.nix and modules/users/default.nix.
find_cause() {
  mac=no
  if [ "$kind" = darwin ] || on_macos; then mac=yes; fi
  found=$(activation_output | awk -v kind="$kind" -v mac="$mac" '
    # found keeps the cause that says most: the one with the lowest rank.
    function found(r, c, w) {
      if (rank && r > rank) return
      if (!rank || r < rank) { rank = r; code = c; what = ""; names = 0 }
      if (w == "" || (c, w) in seen) return
      seen[c, w] = 1
      names++
      if (names <= 5) what = what (what == "" ? "" : ", ") w
    }
    # quoted returns what is between the first two quotes of the text that was matched.
    function quoted(part) { split(substr($0, RSTART, RLENGTH), part, "\047"); return part[2] }
    { gsub("\033[[][0-9;]*m", "") }
    kind == "nixos" && match($0, /Pre-switch check \047.*\047 failed/) { found(1, "inhibited", quoted()) }
    kind == "nixos" && /^Pre-switch checks failed/ { found(2, "inhibited") }
    kind == "home" && match($0, /Existing file \047.*\047 would be clobbered by backing up/) { found(1, "backup-in-the-way", quoted()) }
    kind == "home" && match($0, /Existing file \047.*\047 would be clobbered$/) { found(2, "in-the-way", quoted()) }
    kind == "home" && match($0, /Existing file \047[^\047]*\047 is in the way of \047[^\047]*\047$/) { found(2, "in-the-way", quoted()) }
    mac == "no" { next }
    /trying to update apps over SSH|over SSH without Full Disk Access/ { found(3, "full-disk-access") }
    /trying to update apps, aborting/ { found(4, "app-management") }
    /^rsync.*(Operation not permitted|Permission denied)/ { found(4, "app-management") }
    /Bootstrap failed: 125|Domain does not support specified action|Could not find domain for/ { found(5, "no-gui-session") }
    match($0, /Failed to start agent \047[^\047]*\047/) { found(6, "launch-agents", quoted()) }
    /Failed to activate one or more LaunchAgents/ { found(6, "launch-agents") }
    sub(/^error: /, "") && sub(/,? aborting activation$/, "") { found(7, "darwin-check", $0) }
    /Operation not permitted/ { found(8, "not-permitted", $0) }
    END { print (rank ? code : "activation"); print what (names > 5 ? " and " names - 5 " more" : "") }
  ')
  cause=${found%%"$newline"*}
  what=${found#"$cause"}
  what=${what#"$newline"}
}

newline='
'
