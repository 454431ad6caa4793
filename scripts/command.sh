#!/bin/sh
# command.sh NAME [ARGUMENTS]: runs one of our programs, wherever it is: built here, installed, or
# in PATH. Needs nothing but sh: it is what `make backup` runs under cron.
set -eu
name=$1
shift
cache=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}
for program in "${PREFIX:-/usr/local}/bin/$name" "/usr/local/bin/$name" "$(command -v "$name" || true)" \
  "$cache/build/release/cli/$name" "$cache/build/release/hostagent/restore/$name"; do
  if [ -n "$program" ] && [ -x "$program" ]; then
    exec "$program" "$@"
  fi
done
echo "$name: not installed and not built" >&2
echo "hint: run 'sudo make install SOPS=.sops.yaml' (or 'make build') in $(dirname "$0")/.." >&2
exit 1
