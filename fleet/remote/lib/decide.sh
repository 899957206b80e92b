# shellcheck shell=sh
# decide.sh: decides whether the host keeps the new configuration.
#
# uses: answering await limit notice
# inputs: confirm confirm_seconds

# decide sets $verdict to "kept WHO", WHO being operator, host or none, or to "back CODE".
decide() {
  received=''
  if [ "$confirm" = operator ]; then await "$confirm_seconds" confirm back; fi
  case $confirm:$received in
    none:*) verdict='kept none' ;;
    *:confirm) verdict='kept operator' ;;
    *:back) verdict='back back' ;;
    *)
      # An operator who is present and does not confirm cannot log in. If none is
      # present, a healthy deploy should not be undone.
      if [ -e "$dir/present" ]; then
        verdict='back unconfirmed'
      elif still_answers; then
        verdict='kept host'
      else
        verdict='back silent'
      fi
      ;;
  esac
}

# still_answers reports whether everything answers that did before the activation.
still_answers() {
  while read -r service address; do
    if [ -z "$service" ]; then continue; fi
    tries=0
    until service_answers; do
      tries=$((tries + 1))
      if [ "$tries" = 4 ]; then
        notice note silent "service=$service" "address=$address"
        return 1
      fi
      sleep 1 # a service may take a moment to restart
    done
  done <<ANSWERED
$(read_answered)
ANSWERED
}

# read_answered prints what answered before the activation.
read_answered() {
  # shellcheck disable=SC2086 # several words
  limit 10 $as_user head -c 65536 "$dir/answered" </dev/null
}

service_answers() {
  case $service in
    ssh) ssh_answers "$address" ;;
    remote) remote_answers ;;
  esac
}
