# shellcheck shell=sh
# home_rollback.sh: activates the generation of a home that was active before. The script that uses
# it sets $backup_extension.
#
# uses: home_profile notice output real_path

# run_home GENERATION runs the activation script of a home. A generation that has gen-version leaves
# its profile alone. Older ones set it themselves. Either way the script may move the profile to
# another place, so $profile is found again.
run_home() {
  generation=$1
  set --
  if [ -e "$generation/gen-version" ]; then set -- --driver-version 1; fi
  home_status=0
  (
    if [ -n "$backup_extension" ]; then export HOME_MANAGER_BACKUP_EXT="$backup_extension"; fi
    exec "$generation/activate" "$@"
  ) 2>&1 </dev/null || home_status=$?
  profile=$(home_profile)
  return "$home_status"
}

# home_untouched GENERATION reports whether the activation of the generation stopped before it
# changed anything. home-manager's activation script prints the name of each of its steps, and those
# before writeBoundary (like checkLinkTargets, which finds files in the way) only check: see
# home-manager, modules/home-environment.nix. $log_size is the size of the log before.
home_untouched() {
  grep -q writeBoundary "$1/activate" 2>/dev/null || return 1
  home_output=$(output_since "$log_size")
  case $home_output in
    '' | *writeBoundary*) return 1 ;;
  esac
}

# roll_back_home GENERATION activates $home_before in place of the generation, and looks at what
# that left. If it is not what was before, $verdict becomes "incomplete CODE WHAT EXIT".
roll_back_home() {
  notice note rollback "to=$home_before"
  back_status=none
  if [ -n "$home_before" ]; then
    back_status=0
    run_home "$home_before" || back_status=$?
  fi
  left=''
  check_home_links "$1"
  if [ "$(real_path "$profile")" != "$home_before" ]; then left=$left,profile; fi
  if [ "$back_status" != 0 ]; then left=$left,activation; fi
  if [ -n "$left" ]; then
    notice warn rollback-exit "exit=$back_status"
    verdict="incomplete ${verdict#back } ${left#,} $back_status"
  fi
}

# check_home_links GENERATION removes the links of the generation that the way back left, since
# home-manager only knows those of a generation whose activation succeeded, and puts back the files
# that were moved aside for them. It notes in $left what of that failed, and whether links of the
# generation from before are missing. Without one, there is no way back, and links are not removed.
check_home_links() {
  new_files=$(real_path "$1/home-files")
  old_files=$(real_path "$home_before/home-files")
  if [ -z "$home_before" ] || [ "$new_files" = "$old_files" ]; then return; fi
  stale=$(
    list_files "$new_files" | while IFS= read -r file; do
      if [ -L "$HOME/$file" ] && [ "$(readlink "$HOME/$file")" = "$new_files/$file" ]; then
        rm -f "$HOME/$file" || echo stale
      fi
    done
    put_back_files || echo aside
    list_files "$old_files" | while IFS= read -r file; do
      if [ ! -e "$HOME/$file" ] && [ ! -L "$HOME/$file" ]; then echo missing; fi
    done
  )
  case $stale in *stale* | *missing*) left=$left,links ;; esac
  case $stale in *aside*) left=$left,files ;; esac
}

# put_back_files moves back what note_files_in_way noted, if its place is free again.
put_back_files() {
  if [ -z "$backup_extension" ] || [ ! -e "$dir/in-way" ]; then return; fi
  while IFS= read -r file; do
    if [ ! -e "$HOME/$file" ] && [ ! -L "$HOME/$file" ] && [ -e "$HOME/$file.$backup_extension" ]; then
      mv "$HOME/$file.$backup_extension" "$HOME/$file" || return 1
    fi
  done <"$dir/in-way"
}

# list_files DIRECTORY prints the files in a directory, and in those below it, relative to it.
list_files() {
  if [ -n "$1" ]; then (cd "$1" && find . ! -type d) | sed 's,^\./,,'; fi
}
