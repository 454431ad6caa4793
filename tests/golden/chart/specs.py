"""Specs of ClusterBackups, as people and templates write them, against the schema in crds/. Argument: the CRD."""

import re
import sys

import yaml

TAKEN = [
    {},
    {"nodeName": ""},  # a parameter of a template that nobody filled in
    {"nodeName": "server-1"},
    {"nodeName": "ip-10-0-0-5.eu-central-1.compute.internal"},
    {"artifacts": ["Datastore"]},
    {"artifacts": ["EtcdSnapshot", "HelmValues", "Kubeconfig", "HostState"]},
    {"retention": {}},
    {"retention": {"keepLast": 1000}},
    {"servers": "One", "verification": "Boot", "trigger": "Schedule"},
    {"deadlineSeconds": 86400, "ttlSecondsAfterFinished": 0},
]
REFUSED = [
    {"artifacts": []},
    {"artifacts": ["etcd"]},
    {"artifacts": "Datastore"},
    {"nodeName": "Server-1"},
    {"nodeName": "a..b"},
    {"nodeName": "a b"},
    {"servers": "all"},
    {"deadlineSeconds": 0},
    {"deadlineSeconds": "3600"},
    {"retention": {"keepLast": 0}},
    {"ttlSecondsAfterFinished": -1},
]
TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def problems(value, schema, at):
    """What the API server would say, as far as this schema goes."""
    if not isinstance(value, TYPES[schema["type"]]):
        return [f"{at}: not of the type {schema['type']}"]
    found = []
    if isinstance(value, dict):
        for name, member in value.items():
            found += problems(member, schema["properties"][name], f"{at}.{name}")
    elif isinstance(value, list):
        found += [] if schema.get("minItems", 0) <= len(value) <= schema["maxItems"] else [f"{at}: {len(value)} items"]
        for item in value:
            found += problems(item, schema["items"], at)
    elif isinstance(value, str):
        found += [] if value in schema.get("enum", [value]) else [f"{at}: none of {schema['enum']}"]
        found += [] if re.search(schema.get("pattern", ""), value) else [f"{at}: not like {schema['pattern']}"]
    elif not schema["minimum"] <= value <= schema["maximum"]:
        found.append(f"{at}: not from {schema['minimum']} to {schema['maximum']}")
    return found


crd = yaml.safe_load(open(sys.argv[1]))
schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
for spec in TAKEN:
    assert not problems(spec, schema, "spec"), (spec, problems(spec, schema, "spec"))
for spec in REFUSED:
    assert problems(spec, schema, "spec"), spec
