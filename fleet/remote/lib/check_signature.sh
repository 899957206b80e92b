# shellcheck shell=sh
# check_signature.sh: checks the signature of a commit, if the fleet requires one.
#
# uses: git put
# inputs: allowed_signers

# check_signature COMMIT fails unless the commit has a good signature by one of the allowed signers.
# It ignores the host's own settings. Without a gpg program only SSH signatures are good: any key in
# the user's keyring would do for gpg.
check_signature() {
  [ -n "$allowed_signers" ] || return 0
  put "$dir/allowed-signers" "$allowed_signers"
  signature_status=0
  git_ --no-replace-objects -c gpg.ssh.allowedSignersFile="$dir/allowed-signers" -c gpg.ssh.program=ssh-keygen \
    -c gpg.program=false -c gpg.openpgp.program=false -c gpg.x509.program=false \
    verify-commit "$1" >"$dir/git" 2>&1 || signature_status=$?
  cat "$dir/git" >&2
  [ $signature_status = 0 ] || fail unsigned "rev=$1" "text=$(head -c 2000 "$dir/git")"
}
