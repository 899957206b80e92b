# shellcheck shell=sh
# redact.sh: hides secrets before they get into a log.

# redact copies its standard input, without the passwords and access tokens of URLs.
redact() {
  sed 's|\(://[^/@: ]*\):[^/@ ]*@|\1:***@|g; s|\(https*://\)[A-Za-z0-9_-]\{20,\}@|\1***@|g'
}
