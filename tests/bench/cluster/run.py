#!/usr/bin/env python3
"""Benchmarks that need a cluster: the Helm part, apply to Succeeded, memory of our pods, image size.

Runs on a bed that is up with the chart installed (run.sh does that). Prints one JSON document; the
table is made by ../report.py. Rounds of us and of the peer come in random order; medians are given.
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
from support.bed import Bed, NAMESPACE  # noqa: E402

TOOLS = pathlib.Path(os.environ["RB_TOOLS_BIN"])


def release_secret(index, chart_bytes):
    """A release as Helm 3 stores it, with a chart of realistic size that does not compress to nothing."""
    name = f"bench-{index:04}"
    noise = base64.b64encode(random.Random(index).randbytes(chart_bytes)).decode()
    release = {"name": name, "namespace": f"bench-{index % 10}", "version": 1,
               "info": {"status": "deployed", "first_deployed": "2026-01-01T00:00:00Z", "last_deployed": "2026-01-01T00:00:00Z", "deleted": ""},
               "chart": {"metadata": {"name": "sample", "version": "1.2.3", "appVersion": "4.5", "apiVersion": "v2"},
                         "templates": [{"name": "templates/all.yaml", "data": noise}], "values": {"a": 1}, "files": []},
               "config": {"index": index, "image": {"tag": "1.0", "pullPolicy": "IfNotPresent"}, "env": [{"name": f"V{i}", "value": str(i)} for i in range(20)]},
               "manifest": "---\nkind: ConfigMap\n" * 200}
    data = base64.b64encode(gzip.compress(json.dumps(release).encode(), 6)).decode()
    return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": f"sh.helm.release.v1.{name}.v1", "namespace": f"bench-{index % 10}",
                         "labels": {"owner": "helm", "name": name, "version": "1", "status": "deployed"}},
            "stringData": {"release": data}}


def make_releases(bed, first, last):
    for number in range(10):
        bed.kubectl("create", "namespace", f"bench-{number}", check=False)
    for start in range(first, last, 50):
        items = [release_secret(index, 15_000) for index in range(start, min(start + 50, last))]
        bed.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), timeout=300)


def helm_by_us(bed, name):
    """Seconds from apply to Succeeded of a run of HelmValues alone, and of the Helm step in it."""
    begin = time.monotonic()
    backup = backups.run(bed, name, artifacts=["HelmValues"])
    whole = time.monotonic() - begin
    assert backups.condition(backup)["status"] == "True", backup["status"]
    return whole


def helm_by_script(bed, recipient):
    begin = time.monotonic()
    bed.run(HERE / "operators_script.sh", recipient, "/run/rb-bench-values.age", timeout=900)
    whole = time.monotonic() - begin
    bed.run("rm", "/run/rb-bench-values.age")
    return whole


def helm_step_seconds(bed):
    """(sum, count) of the controller's own measure of the Helm step."""
    pod = bed.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=controller")["items"][0]["metadata"]["name"]
    text = bed.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics").stdout
    values = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line and not line.startswith("#")}
    total = [value for key, value in values.items() if "helm" in key and "seconds_sum" in key]
    count = [value for key, value in values.items() if "helm" in key and "seconds_count" in key]
    return (total[0], count[0]) if total and count else None


def bench_helm(bed, counts, rounds, recipient):
    rows = []
    made = 0
    for count in counts:
        make_releases(bed, made, count)
        made = count
        ours, steps, script = [], [], []
        script_rounds = rounds if count <= 100 else 1
        order = ["us"] * rounds + ["script"] * script_rounds
        random.shuffle(order)
        for index, who in enumerate(order):
            if who == "us":
                before = helm_step_seconds(bed)
                ours.append(helm_by_us(bed, f"bench-{count}-{index}-{int(time.time())}"))
                after = helm_step_seconds(bed)
                if before and after and after[1] > before[1]:
                    steps.append((after[0] - before[0]) / (after[1] - before[1]))
            else:
                script.append(helm_by_script(bed, recipient))
        rows.append({"releases": count, "us_run_seconds": statistics.median(ours),
                     "us_step_seconds": statistics.median(steps) if steps else None,
                     "script_seconds": statistics.median(script), "rounds": rounds, "script_rounds": script_rounds,
                     "times_faster_run": statistics.median(script) / statistics.median(ours)})
    return rows


def bench_apply_to_succeeded(bed, rounds):
    """All four artifacts on a small cluster, from apply until a watch shows Succeeded."""
    times = []
    for index in range(rounds):
        name = f"bench-apply-{index}-{int(time.time())}"
        begin = time.monotonic()
        bed.apply(backups.manifest(name))
        bed.kubectl("wait", "--for=condition=Succeeded", f"clusterbackup/{name}", "--timeout=120s")
        times.append(time.monotonic() - begin)
    return {"median_seconds": statistics.median(times), "best_seconds": min(times), "rounds": rounds}


def memory(bed, component, program):
    """Resident and peak KiB of the program in its pod, from /proc."""
    script = ("for p in /proc/[0-9]*; do [ \"$(tr '\\0' ' ' < $p/cmdline 2>/dev/null | cut -d' ' -f1 | xargs -r basename 2>/dev/null)\" = \"$1\" ] "
              "&& grep -E 'VmRSS|VmHWM' $p/status && break; done; true")
    text = bed.run("sh", "-c", script, "sh", program).stdout
    return {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--counts", default="100,1000")
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    bed = Bed(os.environ["RB_BED"])
    with tempfile.TemporaryDirectory() as directory:
        identity = pathlib.Path(directory) / "keys.txt"
        subprocess.run([TOOLS / "age-keygen", "-o", identity], check=True, capture_output=True)
        recipient = subprocess.run([TOOLS / "age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()
    rest = {who: memory(bed, who, f"railiance-backup-{who}") for who in ("controller", "agent")}
    result = {"apply_to_succeeded": bench_apply_to_succeeded(bed, options.rounds)}
    result["helm"] = bench_helm(bed, [int(count) for count in options.counts.split(",")], options.rounds, recipient)
    result["memory_kib"] = {"at_rest": rest,
                            "after_runs": {who: memory(bed, who, f"railiance-backup-{who}") for who in ("controller", "agent")}}
    image = os.environ.get("RB_IMAGE_TAR")
    if image:
        result["image_bytes"] = {"tar": pathlib.Path(image).stat().st_size}
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
