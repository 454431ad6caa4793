#!/usr/bin/env python3
"""Benchmarks that need a cluster: the Helm part, apply to Succeeded, many objects, memory of our pods, image size.

Needs a bed with a node and our image in it (../run.sh makes it), and installs the chart. Rounds of us
and of the peer come in random order; medians are given. Prints a table; --json FILE gets the figures.
"""

import argparse
import base64
import gzip
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "e2e"))

from support import backups  # noqa: E402
from support.bed import Bed, NAMESPACE, ROOT  # noqa: E402

TOOLS = pathlib.Path(os.environ["RB_TOOLS_BIN"])
CHART_BYTES = 15_000  # of what does not compress in a release: charts of that size are common


def install(bed, directory):
    """Installs the chart for a fresh age key; returns the recipient."""
    identity = directory / "keys.txt"
    subprocess.run([TOOLS / "age-keygen", "-o", identity], check=True, capture_output=True)
    recipient = subprocess.run([TOOLS / "age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()
    (directory / ".sops.yaml").write_text(f"creation_rules:\n  - age: {recipient}\n")
    bed.helm("upgrade", "--install", "railiance-backup", ROOT / "charts" / "railiance-backup", "-n", NAMESPACE,
             "--create-namespace", "--set-file", f"sops.config={directory / '.sops.yaml'}", "--set", "image.pullPolicy=Never",
             "--set", "schedule.suspend=true", "--wait", "--timeout", "180s", timeout=240)
    return recipient


def release_secret(index):
    """A release as Helm 3 stores it."""
    name, namespace = f"bench-{index:04}", f"bench-{index % 10}"
    noise = base64.b64encode(random.Random(index).randbytes(CHART_BYTES)).decode()
    release = {"name": name, "namespace": namespace, "version": 1,
               "info": {"status": "deployed", "first_deployed": "2026-01-01T00:00:00Z",
                        "last_deployed": "2026-01-01T00:00:00Z", "deleted": ""},
               "chart": {"metadata": {"name": "sample", "version": "1.2.3", "appVersion": "4.5", "apiVersion": "v2"},
                         "templates": [{"name": "templates/all.yaml", "data": noise}], "values": {"a": 1}, "files": []},
               "config": {"index": index, "image": {"tag": "1.0", "pullPolicy": "IfNotPresent"},
                          "env": [{"name": f"V{number}", "value": str(number)} for number in range(20)]},
               "manifest": "---\nkind: ConfigMap\n" * 200}
    data = base64.b64encode(gzip.compress(json.dumps(release).encode(), 6)).decode()
    return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": f"sh.helm.release.v1.{name}.v1", "namespace": namespace,
                         "labels": {"owner": "helm", "name": name, "version": "1", "status": "deployed"}},
            "stringData": {"release": data}}


def make_releases(bed, first, last):
    for number in range(10):
        bed.kubectl("create", "namespace", f"bench-{number}", check=False)
    for start in range(first, last, 50):
        items = [release_secret(index) for index in range(start, min(start + 50, last))]
        bed.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), timeout=300)


def apply_and_wait(bed, name, **spec):
    """Seconds from `kubectl apply` to the end of `kubectl wait --for=condition=Succeeded`."""
    begin = time.monotonic()
    bed.apply(backups.manifest(name, **spec))
    bed.kubectl("wait", "--for=condition=Succeeded", f"clusterbackup/{name}", "--timeout=300s", timeout=310)
    return time.monotonic() - begin


def by_script(bed, recipient):
    begin = time.monotonic()
    bed.run(HERE / "operators_script.sh", recipient, "/run/rb-bench-values.age", timeout=1800)
    taken = time.monotonic() - begin
    bed.run("rm", "/run/rb-bench-values.age")
    return taken


def helm_step(bed):
    """(sum of seconds, count) of the Helm step, by the controller's own clock."""
    pod = bed.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=controller")["items"][0]["metadata"]["name"]
    text = bed.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics").stdout
    values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and line[0] != "#"}
    total = next(value for key, value in values.items() if "helm" in key and "seconds_sum" in key)
    count = next(value for key, value in values.items() if "helm" in key and "seconds_count" in key)
    return total, count


def bench_helm(bed, counts, rounds, recipient):
    rows, made = [], 0
    for count in counts:
        make_releases(bed, made, count)
        made = count
        runs, steps, script = [], [], []
        script_rounds = rounds if count <= 100 else 1 if count <= 1000 else 0  # a round of the script takes minutes
        order = ["us"] * rounds + ["script"] * script_rounds
        random.shuffle(order)
        for index, who in enumerate(order):
            if who == "script":
                script.append(by_script(bed, recipient))
                continue
            before = helm_step(bed)
            runs.append(apply_and_wait(bed, f"bench-helm-{count}-{index}", artifacts=["HelmValues"]))
            after = helm_step(bed)
            assert after[1] == before[1] + 1
            steps.append(after[0] - before[0])
        rows.append({"releases": count, "rounds": rounds, "script_rounds": script_rounds,
                     "step_seconds": statistics.median(steps), "run_seconds": statistics.median(runs),
                     "controller_peak_kib": memory_kib(bed, "railiance-backup-controller")["VmHWM"]})
        if script:
            rows[-1].update({"script_seconds": statistics.median(script),
                             "step_times_script": statistics.median(script) / statistics.median(steps),
                             "run_times_script": statistics.median(script) / statistics.median(runs)})
    return rows


def bench_objects(bed, counts):
    """All four artifacts with that many objects more in etcd."""
    rows, made = [], 0
    for count in counts:
        bed.run("python3", HERE / "fill.py", str(made), str(count), timeout=1800)
        made = count
        seconds = apply_and_wait(bed, f"bench-objects-{count}")
        status = bed.get("clusterbackup", f"bench-objects-{count}")["status"]
        snapshot = next(a for a in status["artifacts"] if a["type"] == "EtcdSnapshot")
        rows.append({"objects": count, "run_seconds": seconds, "snapshot_bytes": snapshot["sizeBytes"],
                     "total_keys": status["etcd"]["totalKeys"],
                     **{f"{who}_peak_kib": memory_kib(bed, f"railiance-backup-{who}")["VmHWM"] for who in ("controller", "agent")}})
    return rows


def memory_kib(bed, program):
    """VmRSS and VmHWM of the program in its pod."""
    script = ("for p in /proc/[0-9]*; do read -r name < $p/comm || continue; "
              "tr '\\0' '\\n' < $p/cmdline 2>/dev/null | head -1 | grep -q \"/$1\\$\" && grep -E 'VmRSS|VmHWM' $p/status; done; true")
    text = bed.run("sh", "-c", script, "sh", program).stdout
    found = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}
    assert found, f"{program} does not run"
    return found


def pods_memory(bed):
    return {who: memory_kib(bed, f"railiance-backup-{who}") for who in ("controller", "agent")}


def show(result):
    print("\nmemory (MiB)          at rest  peak")
    for who in ("controller", "agent"):
        print(f"  {who:<18} {result['memory_kib']['at_rest'][who]['VmRSS'] / 1024:8.1f} "
              f"{result['memory_kib']['after_runs'][who]['VmHWM'] / 1024:6.1f}")
    took = result["apply_to_succeeded"]
    print(f"\napply to Succeeded, all four artifacts: median {took['median_seconds']:.2f} s, best {took['best_seconds']:.2f} s")
    print("\nHelm part   step s    run s   controller peak MiB   script s   script/step  script/run")
    for row in result["helm"]:
        print(f"  {row['releases']:>7} {row['step_seconds']:8.3f} {row['run_seconds']:8.2f} {row['controller_peak_kib'] / 1024:21.1f}", end="")
        print(f" {row['script_seconds']:10.1f} {row['step_times_script']:11.0f}x {row['run_times_script']:10.0f}x"
              if "script_seconds" in row else "   (not run: it would take its time a release)")
    print("\nobjects more   keys    snapshot MiB    run s   controller peak MiB   agent peak MiB")
    for row in result["objects"]:
        print(f"  {row['objects']:>8} {row['total_keys']:>8} {row['snapshot_bytes'] / 2**20:12.1f} {row['run_seconds']:8.2f} "
              f"{row['controller_peak_kib'] / 1024:21.1f} {row['agent_peak_kib'] / 1024:16.1f}")
    print(f"\nimage: {result['image_bytes'] / 1e6:.1f} MB")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--counts", default="100,1000")
    arguments.add_argument("--objects", default="5000,50000")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--json", required=True)
    options = arguments.parse_args()
    bed = Bed(os.environ["RB_BED"])
    with tempfile.TemporaryDirectory() as directory:
        recipient = install(bed, pathlib.Path(directory))
    time.sleep(5)
    result = {"memory_kib": {"at_rest": pods_memory(bed)}}
    times = [apply_and_wait(bed, f"bench-apply-{index}") for index in range(options.rounds)]
    result["apply_to_succeeded"] = {"median_seconds": statistics.median(times), "best_seconds": min(times), "rounds": options.rounds}
    result["helm"] = bench_helm(bed, [int(count) for count in options.counts.split(",")], options.rounds, recipient)
    result["objects"] = bench_objects(bed, [int(count) for count in options.objects.split(",")])
    result["memory_kib"]["after_runs"] = pods_memory(bed)
    result["image_bytes"] = int(os.environ["RB_IMAGE_BYTES"])
    show(result)
    pathlib.Path(options.json).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
