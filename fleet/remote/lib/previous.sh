# shellcheck shell=sh
# previous.sh: finds the generation that undoes an activation.
#
# uses: fact generation parent real_path
# inputs: goal kind

# report_previous reports the generation of what runs or, if only the next boot is changed, the
# default. It need not be the one with the next lower number. It also reports which specialisation
# of it runs.
report_previous() {
  previous=$(generation "$profile") parent=''
  if [ "$goal" != boot ] && [ "$kind" = nixos ]; then
    find_parent "$from"
    fact specialisation "${special:-none}"
  fi
  if [ "$goal" != boot ] && [ "$(real_path "$profile")" != "$from" ]; then
    for link in "$profile"-*-link; do
      if [ "$(real_path "$link")" = "${parent:-$from}" ]; then previous=${link%-link} && previous=${previous##*-}; fi
    done
  fi
  fact previous "$previous"
}
