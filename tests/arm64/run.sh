#!/bin/bash
# run.sh [all]: programs for arm64, cross-compiled in the build root for it and run by qemu. By default what `make test`
# has time for: the test kit of age, and sets made on one architecture and opened on the other by what is shipped.
# "all": the unit, property, conformance and golden tests of lib/, too. Ends with "N passed, N failed".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
. "$ROOT/scripts/in-root.sh"
. "$ROOT/scripts/ctest.sh"
. "$ROOT/tests/tools/check.sh"

PART="conformance_age_testkit"
WHOLE="unit_base unit_terminal unit_archive unit_age unit_sign unit_etcd unit_api unit_objects unit_k3s unit_set unit_set_open"
WHOLE+=" unit_status unit_serve unit_helm unit_kube unit_kube_transport"
WHOLE+=" prop_age prop_retention prop_catalogue prop_helm_values prop_helm_archive prop_helm_decode prop_kube_watch prop_kube_election"
WHOLE+=" conformance_age_testkit conformance_age_interop conformance_minisign"
LOGS=$CACHE/logs
mkdir -p "$LOGS"
passed=0
failed=0

if [ "$NATIVE_ARCH" != amd64 ]; then
  echo "SKIPPED: this machine is $NATIVE_ARCH: programs for arm64 are cross-compiled from amd64 only"
  echo "0 passed, 0 failed"
  exit 0
fi
tests=$PART build=$CACHE/build/arm64-part how=part
[ "${1:-}" != all ] || tests=$WHOLE build=$CACHE/build/arm64-test how=
root=$("$ROOT/scripts/root.sh" arm64)
testkit=$("$ROOT/tests/tools/install.sh" age-testkit)
"$ROOT/tests/tools/install.sh" age >/dev/null
if [ "$(cat "$build/.made-in" 2>/dev/null)" != "$ROOT $root" ]; then rm -rf "$build"; fi
mkdir -p "$build" "$CACHE/ccache"
forget_precompiled "$build"
echo "$ROOT $root" >"$build/.made-in"
work=$(mktemp -d "${TMPDIR:-/tmp}/railiance-arm64-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
inside() {
  in_root "$root" "$ROOT:/source" "$build:/build" "$CACHE/ccache:/ccache" "$CACHE/bin:/tools" "$testkit:/testkit" "$work:/sets" -- \
    PATH=/usr/bin:/bin:/tools CCACHE_DIR=/ccache "JOBS=${JOBS:-2}" RB_EMULATED=qemu RB_AGE_TESTKIT_DIR=/testkit "$@"
}

say "Compiling for arm64 (the first time, minutes)"
if ! inside bash /source/tests/arm64/in-root.sh "railiance-restore rb_make_set $tests" $how >"$LOGS/arm64-build.log" 2>&1; then
  grep -hE 'error|Error|FAILED' -A5 "$LOGS/arm64-build.log" | tail -30 >&2
  die "the log: $LOGS/arm64-build.log"
fi
host=$(RB_TARGETS="railiance-restore rb_make_set" "$ROOT/scripts/build.sh" dev test)

say "Running for arm64"
rm -f "$build/junit.xml"
inside ctest --test-dir /build -R "^(${tests// /|})\$" --timeout 1800 --output-on-failure --test-output-size-passed 100000 \
  --output-junit /build/junit.xml >"$LOGS/arm64-ctest.log" 2>&1 || true
tell_failures "$LOGS/arm64-ctest.log"
read -r passed failed <<<"$(count_cases "$build/junit.xml")"

# A set is made on one architecture, and what is shipped for the other opens it.
here_restore() { "$host/hostagent/restore/railiance-restore" "$@"; }
there_restore() { inside qemu-aarch64 /build/hostagent/restore/railiance-restore "$@"; }
same_plaintext() {
  local file
  for file in "$work/$1"/backups/*.age; do
    here_restore decrypt -i "$work/$1/keys.txt" -o "$work/plain-here" "$file"
    there_restore decrypt -i "/sets/$1/keys.txt" -o /sets/plain-there "/sets/$1/backups/$(basename "$file")"
    cmp "$work/plain-here" "$work/plain-there"
    rm "$work/plain-here" "$work/plain-there"
  done
}
damaged_is_found() {
  local code=0
  cp -r "$work/amd64" "$work/damaged"
  printf X | dd of="$(echo "$work"/damaged/backups/etcd-*.age)" bs=1 seek=300 conv=notrunc status=none
  there_restore --backup-dir /sets/damaged/backups verify -i /sets/damaged/keys.txt || code=$?
  [ "$code" = 6 ]
}
check "a set is made on amd64" "$host/tests/arm64/rb_make_set" "$work/amd64"
check "arm64 verifies it with the key" there_restore --backup-dir /sets/amd64/backups verify -i /sets/amd64/keys.txt
check "arm64 decrypts the same" same_plaintext amd64
check "arm64 finds a flipped byte" damaged_is_found
check "a set is made on arm64" inside qemu-aarch64 /build/tests/arm64/rb_make_set /sets/arm64
check "amd64 verifies it with the key" here_restore --backup-dir "$work/arm64/backups" verify -i "$work/arm64/keys.txt"
check "amd64 decrypts the same" same_plaintext arm64
if [ "${1:-}" != all ]; then
  all=$(wc -w <<<"$WHOLE")
  echo "SKIPPED: $((all - $(wc -w <<<"$PART"))) of the $all test programs of lib/ for arm64 (make arm64-test)"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
