#!/bin/sh
# command.sh NAME [ARGUMENTS]: runs one of our programs, wherever it is: installed, in PATH, or in the
# bundle that was built here. Needs nothing but sh: it is what `make backup` runs under cron.
set -eu
name=$1
shift
cache=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}
for program in "${PREFIX:-/usr/local}/bin/$name" "/usr/local/bin/$name" "$(command -v "$name" || true)" \
  "$cache/bundle/root/railiance-backup/bin/$name"; do
  if [ -n "$program" ] && [ -x "$program" ]; then
    exec "$program" "$@"
  fi
done
echo "$name: not installed and not built" >&2
echo "hint: run 'sudo make install SOPS=.sops.yaml' (or 'sudo make build') in $(dirname "$0")/.." >&2
exit 1
