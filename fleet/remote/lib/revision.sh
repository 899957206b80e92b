# shellcheck shell=sh
# revision.sh: finds the commit that a configuration was built from.
#
# uses: own_revision parent real_path state

# find_revision LINK sets $revision to the commit that the configuration was built from, according
# to the configuration itself or to what was remembered. It is empty if neither knows.
find_revision() {
  own_revision "$1"
  if [ -n "$revision" ] || [ ! -r "$state/revisions" ]; then return; fi
  store_path=$(real_path "$1")
  recall_revision "$store_path"
  if [ -z "$revision" ] && [ "$1" = "$sysroot/run/current-system" ]; then
    find_parent "$store_path"
    recall_revision "$parent"
  fi
}

# recall_revision PATH sets $revision to what was remembered of the store path.
recall_revision() {
  while read -r path remembered; do
    if [ "$path" = "$1" ]; then revision=$remembered; fi
  done <"$state/revisions"
}
