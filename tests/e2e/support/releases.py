"""Twenty-five Helm releases with everything that makes values go wrong, made by the real helm."""

import json
import pathlib
import re
import textwrap
import time

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: sample\nversion: 1.2.3\nappVersion: \"4.5\"\n",
    "values.yaml": "fail: false\nhang: false\n",
    "templates/config.yaml": textwrap.dedent("""\
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {{ if .Values.fail }}"Not A Valid Name"{{ else }}{{ .Release.Name }}-config{{ end }}
        data:
          revision: "{{ .Release.Revision }}"
        """),
    "templates/hook.yaml": textwrap.dedent("""\
        {{- if .Values.hang }}
        apiVersion: batch/v1
        kind: Job
        metadata:
          name: {{ .Release.Name }}-hook
          annotations:
            "helm.sh/hook": pre-install
        spec:
          template:
            spec:
              restartPolicy: Never
              containers:
                - { name: never, image: "no.such.image/never:never", imagePullPolicy: Never }
        {{- end }}
        """),
}

NASTY = {
    "numbers-as-text": {"a": "1", "b": "0123", "c": "1e3", "d": "0x1F", "e": "1_000", "f": ".5", "g": "12:30:45",
                        "h": "+1", "i": "-0", "j": ".inf", "k": ".nan", "l": "0o17", "m": "0b11", "n": "1."},
    "dates-as-text": {"a": "2026-11-22", "b": "2026-11-22T11:52:16Z", "c": "2026-1-2 3:4:5", "d": "20261122"},
    "booleans-as-text": {word: word for word in
                         ("true", "false", "yes", "no", "on", "off", "y", "n", "True", "NO", "Off", "Y")},
    "null-as-text": {"a": "null", "b": "~", "c": "", "d": "Null", "e": None, "null": "key", "~": "key"},
    "floats": {"a": 0.1, "b": 1.0, "c": -0.0, "d": 1e300, "e": 5e-324, "f": 3.141592653589793, "g": 1e21},
    "multi-line": {"a": "one\ntwo\n", "b": "one\ntwo", "c": "\n\nleading", "d": "trailing\n\n\n", "e": "  indented\n text",
                   "f": "tab\there", "g": "carriage\rreturn\r\n", "h": "x" * 200 + " " + "y" * 200, "i": "#!/bin/sh\nset -e\n"},
    "unicode": {"a": "grüße", "b": "日本語", "c": "\U0001f4be", "d": "\u2028line\u2029", "e": "\u0085nel",
                "f": "\u200bzero", "g": "\ufeffbom", "ключ": "значение", "h": "e\u0301"},
    "empty": {},
    "empty-parts": {"a": {}, "b": [], "c": "", "d": [{}], "e": [[]], "f": [None], "g": {"h": {}}},
    "indicators": {"a": "- no list", "b": "key: value", "c": "# no comment", "d": "text # no comment", "e": "&anchor",
                   "f": "*alias", "g": "!tag", "h": "{{ .Values.x }}", "i": "[a", "j": "%directive", "k": "@at", "l": "`tick",
                   "m": "'quoted'", "n": '"quoted"', "o": "back\\slash", "p": "---", "q": "...", "r": "? key", "s": "|", "t": ">",
                   "u": " leading", "v": "trailing ", "w": "=", "x": "<<", "- k": 1, "a: b": 2, "# k": 3, "": 4, " ": 5},
    "control": {"a": "\x01\x02", "b": "\x1b[31m", "c": "\x7f", "d": "bell\x07"},
    "deep": None,
    "large": None,
    "wide": {f"key-{i}": i for i in range(2000)},
    "lists": {"a": [1, "1", 1.5, True, "true", None, "null", [], {}], "b": [[1, [2, [3]]]], "c": [{"x": [{"y": 1}]}]},
}


def deep_value(depth=60):
    value = "bottom"
    for level in range(depth):
        value = {"level": value} if level % 2 else [value]
    return {"root": value}


def large_value(size=500_000):
    return {"blob": ("line of text 0123456789 äöü\n" * (size // 28))[:size]}


def as_yaml(values):
    """JSON that is YAML too: what lies beyond the BMP as one escape instead of a surrogate pair."""
    text = json.dumps(values)
    pair = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")
    return pair.sub(lambda found: "\\U%08x" % (0x10000 + ((int(found[1], 16) - 0xD800) << 10) + int(found[2], 16) - 0xDC00), text)


def write_chart(directory):
    for name, text in CHART.items():
        path = pathlib.Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(directory)


def install_all(bed, directory, secret):
    """Makes the releases; `secret` is planted in the values of one. Returns what must be backed up:
    {(namespace, release)}."""
    chart = write_chart(pathlib.Path(directory) / "sample")
    values_dir = pathlib.Path(directory) / "values"
    values_dir.mkdir()
    made = set()

    def helm(action, release, namespace, *arguments, check=True, **options):
        made.add((namespace, release))
        return bed.helm(action, release, chart, "-n", namespace, "--create-namespace", *arguments, check=check, **options)

    nasty = {**NASTY, "deep": deep_value(), "large": large_value()}
    for index, (name, values) in enumerate(nasty.items()):
        path = values_dir / f"{name}.json"
        path.write_text(as_yaml(values))
        helm("install", name, f"apps-{index % 3}", "-f", path)

    # Numbers given on the command line are kept as integers by Helm, beyond 2^53 too.
    helm("install", "big-integers", "apps-0", "--set", "a=9007199254740993,b=9223372036854775807,c=-9007199254740993",
         "--set-string", "d=9007199254740993")
    helm("install", "planted", "apps-1", "--set-string", f"password={secret}")
    helm("install", "same-name", "apps-0", "--set", "where=0")
    helm("install", "same-name", "apps-1", "--set", "where=1")

    helm("install", "upgraded", "apps-2", "--set", "step=1")
    helm("upgrade", "upgraded", "apps-2", "--set", "step=2")
    helm("upgrade", "upgraded", "apps-2", "--set", "step=3")

    helm("install", "rolled-back", "apps-2", "--set", "step=first")
    helm("upgrade", "rolled-back", "apps-2", "--set", "step=second")
    bed.helm("rollback", "rolled-back", "1", "-n", "apps-2")

    failed = helm("install", "failed-install", "apps-2", "--set", "fail=true,kept=yes-please", check=False)
    assert failed.returncode != 0
    helm("install", "failed-upgrade", "apps-2", "--set", "step=1")
    assert helm("upgrade", "failed-upgrade", "apps-2", "--set", "fail=true,step=2", check=False).returncode != 0

    helm("install", "uninstalled", "apps-2", "--set", "gone=but-kept")
    bed.helm("uninstall", "uninstalled", "-n", "apps-2", "--keep-history")

    leave_pending(bed, chart, made)
    return made


def leave_pending(bed, chart, made):
    """A helm that is killed while it waits leaves its release in pending-install."""
    process = bed.start("helm", "install", "pending", chart, "-n", "apps-2", "--set", "hang=true,kept=1", "--timeout", "10m")
    try:
        for _ in range(200):
            status = bed.helm("status", "pending", "-n", "apps-2", "-o", "json", check=False)
            if status.returncode == 0 and json.loads(status.stdout)["info"]["status"] == "pending-install":
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the release never became pending-install")
    finally:
        bed.run("pkill", "-KILL", "-f", "helm install pending", check=False)
        process.communicate(timeout=30)
    made.add(("apps-2", "pending"))
