# shellcheck shell=sh
# encode.sh: writes figures as fields of a marker or of a header. fleetctl makes sentences of them.
#
# uses: one_line

# encode KEY=VALUE... sets $fields to " KEY=VALUE..." on one line. In values, spaces and percent
# signs become %20 and %25, except in the value of "text", which comes last and is the rest of the
# line.
encode() {
  fields=''
  for field in "$@"; do
    one_line "${field#*=}"
    case $field in
      text=*) ;;
      *) escape ;;
    esac
    fields="$fields ${field%%=*}=$line"
  done
}

# escape replaces the spaces and percent signs of $line.
escape() {
  escaped=''
  while :; do
    case $line in
      *[%\ ]*) ;;
      *) break ;;
    esac
    escaped=$escaped${line%%[%\ ]*}
    line=${line#"${line%%[%\ ]*}"}
    case $line in
      %*) escaped=$escaped%25 ;;
      *) escaped=$escaped%20 ;;
    esac
    line=${line#?}
  done
  line=$escaped$line
}
