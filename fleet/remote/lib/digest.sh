# shellcheck shell=sh
# digest.sh: identifies text.

# digest prints the SHA-256 digest of its standard input. Only one of these programs has to exist.
digest() { { sha256sum || shasum -a 256 || openssl dgst -sha256 -r; } 2>/dev/null | cut -d ' ' -f 1; }
