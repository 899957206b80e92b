# shellcheck shell=sh
# home.sh: activates a home, which its user does without root. The files of the new generation are
# linked first, and its profile is set when it is confirmed.
#
# uses: clock home_rollback launch_agents log_size put real_path
# inputs: backup_extension goal to

# activate_home does what home-manager's own switch does, except setting the profile. It sets
# $activation_status.
activate_home() {
  check_launch_agents "$built"
  home_before=$(real_path "$profile")
  find_log_size
  put "$dir/home-before" "$home_before" "$log_size" "$backup_extension"
  note_files_in_way "$built"
  activation_status=0
  run_home "$built" || activation_status=$?
  read_clock
  put "$dir/activated" "$activation_status $now"
}

# note_files_in_way GENERATION writes to $dir/in-way the files in the home that home-manager is
# going to move aside for links of the generation: those that are not links, and whose backup does
# not exist yet. See home-manager, modules/files/check-link-targets.sh.
note_files_in_way() {
  if [ -z "$backup_extension" ]; then return; fi
  list_files "$(real_path "$1/home-files")" | while IFS= read -r file; do
    if [ -e "$HOME/$file" ] && [ ! -L "$HOME/$file" ] && [ ! -e "$HOME/$file.$backup_extension" ]; then echo "$file"; fi
  done >"$dir/in-way"
}

# keep_home sets the profile.
keep_home() {
  if [ ! -e "$built/gen-version" ]; then return; fi
  mkdir -p "${profile%/*}"
  case $goal in
    rollback) nix-env --profile "$profile" --switch-generation "$to" 2>&1 ;;
    *) nix-env --profile "$profile" --set "$built" 2>&1 ;;
  esac
}
