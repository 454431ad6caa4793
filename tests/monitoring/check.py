#!/usr/bin/env python3
"""Holds what the operator sees together: the metrics of the programs, alerts, runbooks, dashboard.

usage: check.py PROGRAM...

The programs themselves are asked for their metrics: they run here with an API server that is not
there, which must not keep them from telling what they know. promtool (Debian: prometheus) says whether the metrics are well made and whether each alert fires
when it should; the rest is checked here. Exit code 77: promtool is not installed.
"""
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RUNBOOKS = ROOT / "docs" / "runbooks"
NAME = re.compile(r"\b(?:railiance_backup|rest_client|leader_election)_[a-z0-9_]+")
SECTIONS = ["## What it means", "## How bad it is", "## What to do now", "## How to prevent it"]
failures = []


def fail(message):
    failures.append(message)
    print(f"FAILED: {message}")


def promtool(*args, stdin=None):
    done = subprocess.run(["promtool", *args], input=stdin, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        fail(f"promtool {' '.join(args)}:\n{done.stdout}{done.stderr}")
    return done


def check_metrics(source, text):
    """promtool's lint, and that each sample has a help text of its own."""
    promtool("check", "metrics", stdin=text)
    for name in re.findall(r"^# TYPE (\S+)", text, re.M):
        if not re.search(rf"^# HELP {name} \S.*\.$", text, re.M):
            fail(f"{source}: {name} has no help text that is a sentence")
    lines = re.findall(r"^([a-z_]+(?:\{.*\})?) ", text, re.M)
    twice = {line for line in lines if lines.count(line) > 1}
    if twice:
        fail(f"{source}: told twice: {sorted(twice)}")


def check_types(exported, page):
    """Whoever writes a query goes by what the page says of the types."""
    said = set(re.findall(r"`(\w+)`", re.search(r"^histograms: (.*?)\. ", page, re.M)[1]))
    types = {name: kind for text in exported.values() for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.M)}
    real = {name for name, kind in types.items() if kind == "histogram"}
    if said != real:
        fail(f"docs/monitoring.md: histograms are {sorted(real)}, not {sorted(said)}")
    for name, kind in types.items():
        if (kind == "counter") != name.endswith("_total"):
            fail(f"docs/monitoring.md: {name} is a {kind}")


def names_in(text):
    """The metrics of an exposition; of a histogram also its series."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.M):
        names.add(name)
        if kind == "histogram":
            names |= {name + "_bucket", name + "_sum", name + "_count"}
    return names


def alerts():
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def check_runbooks(rules):
    pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}
    if pages != set(rules):
        fail(f"alerts without a page: {set(rules) - pages}; pages without an alert: {pages - set(rules)}")
    index = (RUNBOOKS / "README.md").read_text()
    for name, rule in rules.items():
        if rule["annotations"]["runbook_url"] != f"docs/runbooks/{name}.md":
            fail(f"{name}: runbook_url is {rule['annotations']['runbook_url']}")
        if rule["labels"]["severity"] not in ("critical", "warning", "info"):
            fail(f"{name}: severity {rule['labels']['severity']}")
        if f"({name}.md)" not in index:
            fail(f"{name}: not in docs/runbooks/README.md")
    for page in pages:
        text = (RUNBOOKS / f"{page}.md").read_text()
        for section in SECTIONS:
            if section not in text:
                fail(f"docs/runbooks/{page}.md: no section '{section}'")
        if "```" not in text.split("## What to do now")[-1]:
            fail(f"docs/runbooks/{page}.md: says no command")


def check_both_ways(rules):
    """Each alert has a case in which it fires and one in which it does not."""
    fires, silent = set(), set()
    for path in (ROOT / "tests" / "monitoring").glob("alerts*_test.yaml"):
        promtool("test", "rules", str(path))
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                (fires if case["exp_alerts"] else silent).add(case["alertname"])
    for name in rules:
        if name not in fires or name not in silent:
            fail(f"{name}: not tested both ways")
    return len(fires & silent)


def dashboard_queries():
    board = json.loads((MONITORING / "dashboard.json").read_text())
    texts = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    texts += [item["query"]["query"] for item in board["templating"]["list"] if item["type"] == "query"]
    return texts


def check_clusters(texts):
    """Of several clusters none hides another: each is told apart."""
    for text in texts:
        if not text.startswith("label_values") and (
                re.search(r"\b(?:max|min|sum|count)\s*\(", text)
                or any(not by.startswith("cluster") for by in re.findall(r"\bby \(([^)]*)\)", text))):
            fail(f"dashboard: all clusters as one: {text}")


def check_queries(texts):
    """promtool parses what Grafana would send."""
    rules = [{"record": f"q{i}", "expr": re.sub(r"\$cluster", ".*", text)}
             for i, text in enumerate(texts) if not text.startswith("label_values")]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        promtool("check", "rules", file.name)


KUBECONFIG = """{apiVersion: v1, kind: Config, current-context: none,
 clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}],
 contexts: [{name: none, context: {cluster: none, user: none}}],
 users: [{name: none, user: {token: none}}]}
"""


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def scrape(program, *args, until=""):
    """/metrics of a process of ours, once it answers and has told of `until`."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([program, f"--metrics-listen=127.0.0.1:{port}", *args],
                                   stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end and process.poll() is None:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                        text = answer.read().decode()
                    if until in text:
                        return text
                except OSError:
                    pass
                time.sleep(0.1)
            log.seek(0)
            fail(f"{program} did not tell its metrics: {log.read().decode()[-2000:]}")
            return ""
        finally:
            process.terminate()
            process.wait(timeout=60)


def all_metrics(programs, work):
    """By source: what each program really exports."""
    kubeconfig = work / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    kubeconfig.chmod(0o600)
    (work / "backups").mkdir(mode=0o700)
    agent = [programs["railiance-backup-agent"], "--node-name=n", "--agent-id=uid",
             f"--backup-dir={work}/backups", f"--key-dir={work}/keys", f"--kube-kubeconfig={kubeconfig}"]
    text = subprocess.run(
        [programs["railiance-restore"], "metrics", f"--backup-dir={work}/none", "--node=n",
         "--expected-interval-seconds=86400"],
        capture_output=True, text=True, check=True, timeout=60).stdout
    return {
        "railiance-restore metrics": text,
        "agent": scrape(*agent, until="railiance_backup_never_ran"),
        "off-site": scrape(*agent, "--offsite-remote=none:backups", "--rclone=/bin/false",
                           until="railiance_backup_offsite_sets"),
        "controller": scrape(programs["railiance-backup-controller"], f"--kubeconfig={kubeconfig}",
                             "--schedule=0 2 * * *", until="rest_client_requests_total"),
    }


def main():
    if shutil.which("promtool") is None:
        print("promtool is not installed (run: make deps)")
        return 77
    programs = {Path(path).name: path for path in sys.argv[1:]}
    with tempfile.TemporaryDirectory(prefix="railiance-monitoring-") as work:
        exported = all_metrics(programs, Path(work))
    known = set()
    for source, text in exported.items():
        check_metrics(source, text)
        known |= names_in(text)
    rules = alerts()
    promtool("check", "rules", str(MONITORING / "alerts.yaml"))
    check_runbooks(rules)
    tested = check_both_ways(rules)
    queries = dashboard_queries()
    check_queries(queries)
    check_clusters(queries)
    for source, texts in (("alerts", [rule["expr"] for rule in rules.values()]), ("dashboard", queries)):
        for text in texts:
            for name in NAME.findall(text):
                if name not in known:
                    fail(f"{source}: no program exports {name}")
    documented = (ROOT / "docs" / "monitoring.md").read_text()
    check_types(exported, documented)
    for name in sorted(known):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if f"`{base}`" not in documented and f"`{base}{{" not in documented:
            fail(f"docs/monitoring.md does not name {base}")
    print(f"{len(known)} metrics, {len(rules)} alerts ({tested} tested both ways), {len(queries)} queries")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
