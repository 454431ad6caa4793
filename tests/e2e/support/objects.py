"""Every object of a cluster, as it can be compared before and after a restore."""

import json

# What the cluster itself writes all the time, or makes anew at a start.
_LIVELY = {
    "events", "leases", "nodes", "endpoints", "endpointslices", "componentstatuses", "apiservices",
    "etcdsnapshotfiles", "nodebackups", "clusterbackups", "backupstatuses", "servicecidrs", "ipaddresses",
    "flowschemas", "prioritylevelconfigurations", "csinodes", "tokenreviews",
}


def _resources(bed):
    """(path of the collection, name) of everything that can be listed, each once."""
    found = {}
    groups = json.loads(bed.kubectl("get", "--raw", "/apis").stdout)["groups"]
    versions = ["/api/v1"] + [f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups]
    for base in versions:
        for item in json.loads(bed.kubectl("get", "--raw", base).stdout)["resources"]:
            if "/" not in item["name"] and "list" in item["verbs"] and item["name"] not in _LIVELY:
                found[f"{base}/{item['name']}"] = item["kind"]
    return found


def _content(item):
    """The object without what its controllers keep up to date."""
    meta = {key: value for key, value in item["metadata"].items() if key not in ("resourceVersion", "managedFields", "generation")}
    return {**{key: value for key, value in item.items() if key not in ("status", "metadata")}, "metadata": meta}


def everything(bed):
    """{(collection, namespace, name): content}."""
    found = {}
    for path in _resources(bed):
        for item in json.loads(bed.kubectl("get", "--raw", path).stdout)["items"]:
            meta = item["metadata"]
            if meta["name"].endswith(".node-password.k3s"):
                continue  # k3s removes it after a reset, and makes it anew seconds later
            found[(path, meta.get("namespace", ""), meta["name"])] = _content(item)
    return found


def differences(before, after):
    """Keys that are missing, new, or of another content."""
    return {
        "missing": sorted(before.keys() - after.keys()),
        "new": sorted(after.keys() - before.keys()),
        "changed": sorted(key for key in before.keys() & after.keys() if before[key] != after[key]),
    }
