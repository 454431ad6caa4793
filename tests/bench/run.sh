#!/usr/bin/env bash
# All benchmarks: each peer in the same run as we are, rounds in random order, medians. Prints a table
# for people and then one JSON document. Needs root (the test bed) and an otherwise idle machine.
#   run.sh [--quick] [--rounds N] [--only age|drill|rewrap|sqlite|writes|scale|restore|boot|servers|cluster]
# --quick: small files and few rounds, to see that everything works; its figures mean nothing.
# Environment: RB_BENCH_BUILD (a release build with the benchmarks, see scripts/bench.sh),
# RB_BENCH_WORKDIR (the disk to measure, 28 GB; default: a directory in $RAILIANCE_CACHE).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
rounds=5 size_mib=1024 profile=gigabyte big_mib=4096 big_rounds=3 counts=100,1000,10000 objects=5000,50000 large=gigabyte,eight-gigabyte
restore_objects=1000 boot_objects=5000 sqlite_sizes=100,1024 only=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) rounds=1 size_mib=64 profile=large big_mib=128 big_rounds=1 counts=20,50 objects=100,200 large=large restore_objects=50 boot_objects=50 sqlite_sizes=8 ;;
    --only) only=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    *) die "usage: run.sh [--quick] [--rounds N] [--only age|drill|rewrap|sqlite|writes|scale|restore|boot|servers|cluster]" ;;
  esac
  shift
done

"$ROOT/tests/tools/install.sh" helm age etcdutl >/dev/null
results=$(mktemp -d "$CACHE/bench-results-XXXXXX")
workdir=${RB_BENCH_WORKDIR:-$results/work}
mkdir -p "$workdir"
bed=$ROOT/tests/k3s/bed.sh
export RB_BED=bench RB_TOOLS_BIN=$CACHE/bin
finish() {
  "$bed" down "$RB_BED" >/dev/null 2>&1 || true
  rm -rf "$results"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ -z "$only" ] || [ "$only" = age ]; then
  "$here/age/run.py" --bench "$RB_BENCH_BUILD/tests/bench/age/rb_age_bench" --workdir "$workdir" \
    --json "$results/age.json" --rounds "$rounds" --size-mib "$size_mib" --big-mib "$big_mib" --big-rounds "$big_rounds"
  rm -rf "$workdir"
fi
if [ -z "$only" ] || [ "$only" = drill ]; then
  go build -C "$ROOT/tests/conformance/etcdsnap" -o "$results/mksnap" .
  "$here/drill/run.py" --restore "$RB_BENCH_BUILD/hostagent/restore/railiance-restore" --mksnap "$results/mksnap" \
    --age "$CACHE/bin/age" --etcdutl "$CACHE/bin/etcdutl" --workdir "$workdir/drill" --json "$results/drill.json" \
    --profile "$profile" --rounds "$rounds"
  rm -rf "$workdir"
fi
if [ -z "$only" ] || [ "$only" = rewrap ]; then
  "$here/rewrap/run.py" --bench "$RB_BENCH_BUILD/tests/bench/rewrap/rb_rewrap_bench" --workdir "$workdir/rewrap" \
    --json "$results/rewrap.json" --rounds "$rounds" --size-mib "$size_mib"
  rm -rf "$workdir"
fi
if [ -z "$only" ] || [ "$only" = sqlite ]; then
  "$here/sqlite/run.py" --bench "$RB_BENCH_BUILD/tests/bench/sqlite/rb_sqlite_bench" --age "$CACHE/bin/age" \
    --workdir "$workdir/sqlite" --json "$results/sqlite.json" --rounds "$rounds" --sizes-mib "$sqlite_sizes"
  rm -rf "$workdir"
fi
if [ -z "$only" ] || [ "$only" = scale ]; then
  go build -C "$ROOT/tests/conformance/etcdsnap" -o "$results/mksnap" .
  "$here/scale/run.py" --agent "$RB_BENCH_BUILD/tests/bench/scale/run_large" --mksnap "$results/mksnap" \
    --age "$CACHE/bin/age" --workdir "$workdir/scale" --json "$results/scale.json" --profiles "$large"
  rm -rf "$workdir"
fi
# Inside of a bed without node, whose cluster they restore or boot beside.
in_bed() {
  local part=$1
  shift
  "$bed" run "$RB_BED" -- /usr/bin/python3 -B "$here/$part/run.py" "$RB_BENCH_BUILD/tests/integration/kit/backup_here" \
    "$RB_BENCH_BUILD/hostagent/restore/railiance-restore" --json "$results/$part.json" "$@"
}
if [ -z "$only" ] || [ "$only" = restore ]; then
  in_bed restore --objects "$restore_objects" --rounds "$rounds"
fi
if [ -z "$only" ] || [ "$only" = boot ]; then
  in_bed boot --objects "$boot_objects"
fi
if [ -z "$only" ] || [ "$only" = writes ]; then
  for kind in etcd sqlite; do
    options=()
    [ "$kind" = etcd ] || options=(--sqlite)
    "$bed" run "$RB_BED" "${options[@]}" -- /usr/bin/python3 -B "$here/writes/run.py" "$RB_BENCH_BUILD/tests/integration/kit/backup_here" \
      "$RB_BENCH_BUILD/hostagent/restore/railiance-restore" --json "$results/writes-$kind.json" --rounds "$rounds" --sizes-mib "$sqlite_sizes"
  done
fi
# The test of the disaster, for its times: "restored after 10.9 s, three members after 55.9 s".
if [ -z "$only" ] || [ "$only" = servers ]; then
  /usr/bin/python3 -B "$ROOT/tests/integration/recover/test_servers.py" "$RB_BENCH_BUILD/tests/integration/kit/backup_here" \
    "$RB_BENCH_BUILD/hostagent/restore/railiance-restore" 2>&1 | tee "$results/servers.log"
  sed -n 's/.*restored after \([0-9.]*\) s, three members after \([0-9.]*\) s.*/{"restoredSeconds": \1, "membersSeconds": \2}/p' \
    "$results/servers.log" >"$results/servers.json"
fi
if [ -z "$only" ] || [ "$only" = cluster ]; then
  image=$("$ROOT/scripts/image.sh")
  "$bed" up "$RB_BED" --node
  "$bed" import "$RB_BED" "$image"
  RB_IMAGE_BYTES=$(cat "$CACHE/image/size_bytes") "$here/cluster/run.py" --rounds "$rounds" --counts "$counts" --objects "$objects" \
    --json "$results/cluster.json"
fi
/usr/bin/python3 - "$results" <<'PYTHON'
import json, pathlib, sys
parts = {path.stem: json.loads(path.read_text()) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json"))}
print(json.dumps(parts, indent=1))
PYTHON
