"""Holds the rights in the chart against the table in docs/threat-model.md, both ways.

Arguments: a rendering of the whole chart, off-site and upgrade guard included, the document, and the root of the sources.
"""

import pathlib
import re
import sys

import yaml


CALLS = {"get", "list", "watch", "create", "update", "patch", "delete"}  # lib/kube/client.hpp


def rules_of(objects):
    """(account, where, resources, verbs) of every rule that an account gets."""
    found = set()
    roles = {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o
             for o in objects if o["kind"] in ("Role", "ClusterRole")}
    for binding in (o for o in objects if o["kind"] in ("RoleBinding", "ClusterRoleBinding")):
        where = binding["metadata"].get("namespace", "cluster")
        reference = binding["roleRef"]
        role = roles[reference["kind"], "" if reference["kind"] == "ClusterRole" else where, reference["name"]]
        for subject in binding["subjects"]:
            assert subject["kind"] == "ServiceAccount", subject
            for rule in role["rules"]:
                found |= {(subject["name"], where, names, ", ".join(rule["verbs"])) for names in [resources(rule)]}
    return found


def resources(rule):
    assert set(rule) <= {"apiGroups", "resources", "resourceNames", "verbs"}, rule
    assert "*" not in str(rule), rule
    assert set(rule["verbs"]) <= CALLS, f"no call of ours needs this: {rule}"
    (group,) = rule["apiGroups"]
    suffix = ":" + ",".join(rule["resourceNames"]) if "resourceNames" in rule else ""
    return ", ".join((group + "/" if group else "") + name + suffix for name in rule["resources"])


def table(text):
    section = text.split("## Rights in the API, rule by rule\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith(("| railiance", "| system-upgrade"))]
    assert all(len(row) == 5 and re.search(r"\w{3}", row[4]) for row in rows), "a rule without a reason"
    return {tuple(row[:4]) for row in rows}


def hardened(objects):
    """Every pod but the agent's passes as restricted, as far as its user may; tokens are asked for."""
    wrong = []
    for item in objects:
        spec = item.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec")
        if spec is None:
            continue
        name = item["metadata"]["name"]
        if spec.get("automountServiceAccountToken") is not True or not spec.get("serviceAccountName"):
            wrong.append(f"{name}: says nothing of its token")
        for container in spec["containers"] + spec.get("initContainers", []):
            security = container["securityContext"]
            if not security.get("readOnlyRootFilesystem"):
                wrong.append(f"{name}: its root file system can be written")
            if security.get("privileged"):
                if name != "railiance-backup-agent":
                    wrong.append(f"{name}: privileged")
                continue
            if spec["securityContext"].get("seccompProfile") != {"type": "RuntimeDefault"}:
                wrong.append(f"{name}: seccomp")
            if security.get("allowPrivilegeEscalation") is not False or security["capabilities"]["drop"] != ["ALL"]:
                wrong.append(f"{name}: privileges")
            if security["capabilities"].get("add", []) not in ([], ["DAC_READ_SEARCH"]):
                wrong.append(f"{name}: capabilities")
    for account in (o for o in objects if o["kind"] == "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            wrong.append(f"{account['metadata']['name']}: gives its token to every pod")
    return wrong


def unknown_tests(text, root):
    """The tests that the document names, and that are not there."""
    files = [path for pattern in ("CMakeLists.txt", "*.cmake") for path in (pathlib.Path(root) / "tests").rglob(pattern)]
    known = {name for path in files
             for name in re.findall(r"(?:rb_test\(|add_test\(NAME )([a-z0-9_]+)", path.read_text(encoding="utf-8"))}
    named = set(re.findall(r"`((?:unit|prop|fault|conformance|integration)_[a-z0-9_]+)\*?`", text))
    return sorted(name for name in named if not any(test.startswith(name) for test in known))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        objects = [item for item in yaml.safe_load_all(file) if item]
    with open(sys.argv[2], encoding="utf-8") as file:
        text = file.read()
    documented = table(text)
    given = rules_of(objects)
    wrong = [f"in the chart, not in the document: {rule}" for rule in sorted(given - documented)]
    wrong += [f"in the document, not in the chart: {rule}" for rule in sorted(documented - given)]
    wrong += hardened(objects)
    wrong += [f"the document names a test that is not there: {name}" for name in unknown_tests(text, sys.argv[3])]
    print("\n".join(wrong) or f"{len(given)} rules, each documented")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
