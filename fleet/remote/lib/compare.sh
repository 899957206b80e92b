# shellcheck shell=sh
# compare.sh: finds out how two configurations differ. A deploy and a plan compare alike, and
# fleet/change parses it.
#
# uses: clock limit nix_within

# compare FROM TO SECONDS prints lines of KEY VALUE about two store paths:
#
#   closure BEFORE AFTER     the sizes of their closures in bytes
#   difference LINE          a line of nix store diff-closures
#   only before|after NAME   without that command: a name that only one closure has
#   more NUMBER              how many of these lines are left out, because they are too many
#   incomparable CODE        why no packages are known: first, slow or failed
#   compared                 last, if the packages are known
compare() {
  if [ -z "$1" ]; then
    echo 'incomparable first'
    return
  fi
  read_clock
  compare_until=$((now + $3))
  find_compare_left
  compare_status=0
  differences=$(nix_within "$compare_left" store diff-closures "$1" "$2" 2>/dev/null </dev/null) || compare_status=$?
  case $compare_status in
    0)
      find_compare_left
      sizes=$(nix_within "$compare_left" path-info -S "$1" "$2" 2>/dev/null </dev/null) || sizes=''
      print_sizes "$1" "$2"
      [ -z "$differences" ] || printf '%s\n' "$differences" | bound difference
      echo compared
      ;;
    124) echo 'incomparable slow' ;;
    *) compare_lists "$1" "$2" ;;
  esac
}

# find_compare_left sets $compare_left to the seconds that are left.
find_compare_left() {
  read_clock
  compare_left=$((compare_until - now))
  [ $compare_left -ge 1 ] || compare_left=1
}

# print_sizes FROM TO prints the sizes of closures: lines of nix path-info -S, each of which has the
# store path first and the size last.
print_sizes() {
  before_size='' after_size=''
  while read -r path size _; do
    case $path in
      "$1") before_size=$size ;;
    esac
    case $path in
      "$2") after_size=$size ;;
    esac
  done <<END_OF_SIZES
$sizes
END_OF_SIZES
  [ -z "$before_size" ] || [ -z "$after_size" ] || echo "closure $before_size $after_size"
}

# compare_lists FROM TO compares the names of the paths in the closures. Like diff-closures (Nix,
# src/nix/diff-closures.cc), it strips what may be the name of an output.
compare_lists() {
  find_compare_left
  before_paths=$(limit "$compare_left" nix-store -qR "$1" 2>/dev/null </dev/null) || before_paths=''
  find_compare_left
  after_paths=$(limit "$compare_left" nix-store -qR "$2" 2>/dev/null </dev/null) || after_paths=''
  if [ -z "$before_paths" ] || [ -z "$after_paths" ]; then
    echo 'incomparable failed'
    return
  fi
  printf '%s\n\n%s\n' "$before_paths" "$after_paths" | awk '
    /^$/ { after = 1; next }
    { sub(/.*\/[a-z0-9]*-/, ""); sub(/-([a-z]+|lib32|lib64)$/, "") }
    after { has_after[$0] = 1; next }
    { has_before[$0] = 1 }
    END {
      for (name in has_before) if (!(name in has_after)) print "before " name
      for (name in has_after) if (!(name in has_before)) print "after " name
    }' | sort | bound only
  echo compared
}

# bound KEY prints lines with the key in front of them, of all together at most 64 KiB, and counts
# the others.
bound() {
  awk -v key="$1" 'length($0) <= 1000 && size + length($0) < 60000 { size += length($0) + 12; print key, $0; next }
    { more++ }
    END { if (more) print "more " more }'
}
