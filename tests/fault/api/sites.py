"""Where the API is called, what can go wrong there, and how a run may end then."""


def site(verb, plural):
    return lambda call: call.verb == verb and call.plural == plural


# name: (which request, what brings it about)
SITES = {
    "list clusterbackups": (site("list", "clusterbackups"), "relist"),
    "list nodebackups": (site("list", "nodebackups"), "relist"),
    "list pods": (site("list", "pods"), "relist"),
    "watch clusterbackups": (site("watch", "clusterbackups"), "rewatch"),
    "watch nodebackups": (site("watch", "nodebackups"), "rewatch"),
    "watch pods": (site("watch", "pods"), "rewatch"),
    "put clusterbackups/status": (site("put", "clusterbackups"), None),
    "post nodebackups": (site("post", "nodebackups"), None),
    "patch nodebackups/status": (site("patch", "nodebackups"), None),
    "list secrets": (site("list", "secrets"), None),
    "list configmaps": (site("list", "configmaps"), None),
    "list helmcharts": (site("list", "helmcharts"), None),
    "post configmaps": (site("post", "configmaps"), None),
    "get configmaps": (site("get", "configmaps"), None),
    "delete configmaps": (site("delete", "configmaps"), None),
    "post events": (site("post", "events"), None),
    "put leases": (site("put", "leases"), None),
}

RETRY_AFTER = (429, (("Retry-After", "1"),))
FAULTS = ["reset", "lost-answer", "reset-mid-body", "truncated-json", "garbage", "empty", "slow",
          401, 403, 404, 409, 410, 422, RETRY_AFTER, 500, 502, (503, (("Retry-After", "1"),)), 504]
WATCH_FAULTS = ["reset", 401, 403, 404, 410, RETRY_AFTER, 500, 503, 504, "slow"] + [
    ("watch", trick) for trick in ("error-410", "error-500", "garbage", "unknown", "duplicates", "cut-line", "silence")]

# The Helm values may be missing then, and the run says so; all else is stored.
HELM_SITES = {"list secrets", "list configmaps", "post configmaps", "get configmaps"}
REFUSALS = {403, 404, 409, 410, 422, "truncated-json", "garbage", "empty"}

# What an API server cannot say and mean: that an order which is there is not, or that a report of
# the right form has a wrong one. The agent takes its word and gives up; the controller then holds
# it for lost, after 90 s.
LIES = {("patch nodebackups/status", 404), ("patch nodebackups/status", 422), ("patch nodebackups/status", 409)}


def word(fault):
    return str(fault[1] if isinstance(fault, tuple) and fault[0] == "watch" else
               f"{fault[0]} with Retry-After" if isinstance(fault, tuple) else fault)


def cases():
    for name, (_, trigger) in SITES.items():
        for fault in WATCH_FAULTS if trigger == "rewatch" else FAULTS:
            if (name, fault) not in LIES:
                yield name, fault


def may_fail(name, fault):
    """A run that meets it once need not succeed, but must say why."""
    if fault == 403:  # asked for again: a server that has just started knows no RBAC rules yet
        return False
    if name in HELM_SITES:
        return True
    return name == "post nodebackups" and fault in REFUSALS
