#!/bin/bash
# test_systemd.py in a machine of its own: run.sh BACKUP_HERE RAILIANCE_RESTORE. Exit code 77 and
# "NOT RUN: reason" where no such machine, or no k3s, can be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -x /usr/local/bin/k3s ]; then
    echo "NOT RUN: there is no /usr/local/bin/k3s: run this test inside a bed (tests/k3s/bed.sh)"
    exit 77
fi
scratch=$(mktemp -d /var/tmp/railiance-systemd-XXXXXX)
state=$scratch/machine
# shellcheck disable=SC2317
cleanup() {
    "$here/machine.sh" down "$state"
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
code=0
"$here/machine.sh" up "$state" || code=$?
[ "$code" = 0 ] || exit "$code"

test=$state/root/opt/test
mkdir -p "$test/bin" "$test/tests"
cp -r "$here" "$here/../kit" "$test/tests/"
cp "$1" "$2" "$test/"
tools=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}/bin
for tool in age age-keygen; do
    found=$tools/$tool
    [ -x "$found" ] || found=$(command -v "$tool")
    cp "$found" "$test/bin/"
done
"$here/machine.sh" exec "$state" HOME=/root RAILIANCE_CACHE=/opt/test /usr/bin/python3 -B \
    /opt/test/tests/systemd/test_systemd.py "/opt/test/$(basename "$1")" "/opt/test/$(basename "$2")" || code=$?
[ "$code" = 0 ] || tail -n 20 "$state/root/var/log/k3s.log" "$state/console.log" >&2
exit "$code"
