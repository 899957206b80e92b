# shellcheck shell=sh
# previous.sh: finds the generation that undoes an activation.
#
# uses: fact generation parent real_path
# inputs: goal

# report_previous reports the generation of what runs or, if only the next boot is changed, the
# default. It need not be the one with the next lower number.
report_previous() {
  previous=$(generation "$profile")
  if [ "$goal" != boot ] && [ "$(real_path "$profile")" != "$from" ]; then
    find_parent "$from"
    for link in "$profile"-*-link; do
      if [ "$(real_path "$link")" = "${parent:-$from}" ]; then previous=${link%-link} && previous=${previous##*-}; fi
    done
  fi
  fact previous "$previous"
}
