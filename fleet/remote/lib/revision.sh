# shellcheck shell=sh
# revision.sh: finds the commit that a configuration was built from.
#
# uses: own_revision real_path state

# find_revision LINK sets $revision to the commit that the configuration was built from, according
# to the configuration itself or to what was remembered. It is empty if neither knows.
find_revision() {
  own_revision "$1"
  if [ -n "$revision" ] || [ ! -r "$state/revisions" ]; then return; fi
  store_path=$(real_path "$1")
  while read -r path remembered; do
    if [ "$path" = "$store_path" ]; then revision=$remembered; fi
  done <"$state/revisions"
}
