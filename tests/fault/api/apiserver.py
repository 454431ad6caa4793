"""A scripted Kubernetes API server on 127.0.0.1: as much of the API as controller and agent use, over
TLS with bearer tokens, and at each request the fault that a test has armed."""

import bisect
import copy
import http.server
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import uuid

PATH = re.compile(r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
                  r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)"
                  r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>status))?$")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def failure(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
            "reason": reason, "message": message}


REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict",
           410: "Expired", 422: "Invalid", 429: "TooManyRequests", 500: "InternalError",
           502: "BadGateway", 503: "ServiceUnavailable", 504: "Timeout"}


class Gone(Exception):
    """The connection is to be given up without a word."""


class Rule:
    """One armed fault: the next `count` requests that `site` describes meet it."""

    def __init__(self, site, fault, count=1, skip=0):
        self.site, self.fault, self.count, self.skip, self.met = site, fault, count, skip, 0

    def meets(self, call):
        if self.count <= 0 or not self.site(call):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.count -= 1
        self.met += 1
        return True


class Call:
    """A request, taken to pieces."""

    def __init__(self, method, target):
        parts = urllib.parse.urlsplit(target)
        self.method, self.path = method, parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        found = PATH.match(parts.path)
        fields = found.groupdict() if found else {}
        self.group, self.namespace = fields.get("group") or "", fields.get("namespace") or ""
        self.plural, self.name = fields.get("plural"), fields.get("name")
        self.sub = fields.get("sub")
        self.watch = self.query.get("watch") in ("1", "true")
        self.verb = ("watch" if self.watch else "get" if self.name else "list") if method == "GET" else method.lower()


class Store:
    """Objects, versions, and what happened to them."""

    def __init__(self):
        self.lock = threading.Condition()
        self.objects, self.log, self.version, self.compacted = {}, [], 1000, 1000

    def put(self, plural, namespace, name, thing, kind):
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        if kind == "DELETED":
            self.objects.pop((plural, namespace, name), None)
        else:
            self.objects[(plural, namespace, name)] = thing
        self.log.append((self.version, plural, kind, copy.deepcopy(thing)))
        self.lock.notify_all()
        return thing

    def since(self, version, plural):
        first = bisect.bisect_right(self.log, version, key=lambda entry: entry[0])
        return [entry for entry in self.log[first:] if entry[1] == plural]

    def make(self, plural, namespace, thing):
        with self.lock:
            meta = thing["metadata"]
            if (plural, namespace, meta["name"]) in self.objects:
                return None
            meta.setdefault("uid", str(uuid.uuid4()))
            meta["creationTimestamp"] = now()
            meta["generation"] = 1
            if namespace:
                meta["namespace"] = namespace
            return self.put(plural, namespace, meta["name"], thing, "ADDED")

    def save(self):
        """What an etcd snapshot holds."""
        with self.lock:
            return copy.deepcopy(self.objects), self.version

    def restore(self, saved):
        """As after a restore of etcd: later versions never were, and are given again. Who watches from one
        hears nothing until it has passed."""
        with self.lock:
            objects, version = saved
            self.objects, self.version, self.compacted = copy.deepcopy(objects), version, version
            self.log.clear()
            self.lock.notify_all()

    def find(self, plural, name, namespace=""):
        with self.lock:
            return copy.deepcopy(self.objects.get((plural, namespace, name)))

    def all(self, plural):
        with self.lock:
            return [copy.deepcopy(o) for (p, _, _), o in sorted(self.objects.items()) if p == plural]


def selected(thing, query):
    labels = thing["metadata"].get("labels") or {}
    for term in filter(None, query.get("labelSelector", "").split(",")):
        if "!=" in term:
            key, value = term.split("!=")
            if labels.get(key) == value:
                return False
        elif "=" in term:
            key, value = term.replace("==", "=").split("=")
            if labels.get(key) != value:
                return False
        elif term not in labels:
            return False
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        key, value = term.split("=")
        if key == "type" and thing.get("type") != value:
            return False
    return True


def merge(target, patch):
    """RFC 7396: what is null goes, also where there was nothing to merge into."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            merge(target[key], value)
        else:
            target[key] = value


def merge_conditions(old, applied):
    """Server-side apply to the one list of our kinds that is applied to in part."""
    given = applied.get("status", {}).get("conditions")
    if given:
        kept = [c for c in old.get("status", {}).get("conditions", []) if c["type"] not in {g["type"] for g in given}]
        applied["status"]["conditions"] = kept + given


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *_):
        pass

    def setup(self):
        # The handshake belongs to this thread: a client that says nothing holds nobody else up.
        try:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        except OSError:
            self.server.handshakes_failed += 1
            self.request = socket.socket()
            self.request.close()
            self.dead = True
            return
        self.dead = False
        super().setup()

    def handle(self):
        if self.dead:
            return
        try:
            super().handle()
        except (Gone, OSError, ValueError):
            pass

    def finish(self):
        if not self.dead:
            try:
                super().finish()
            except (OSError, ValueError):
                pass

    # What is sent.

    def reset(self):
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=self.request.detach()).close()
        raise Gone()

    def answer(self, code, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for key, value in headers:
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, code, headers=(), message="for a test"):
        self.answer(code, failure(code, REASONS.get(code, "Unknown"), message), headers)

    # What is asked.

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else b""

    def serve(self):
        call = Call(self.command, self.path)
        data = self.body()
        server = self.server
        server.requests.append((time.monotonic(), call.verb, call.plural))
        fault = server.fault_for(call)
        if fault in ("lost-answer", "reset-mid-body", "truncated-json"):
            code, reply = self.work(call, data)
            if fault == "lost-answer":
                self.reset()
            text = json.dumps(reply).encode()
            if fault == "truncated-json":
                return self.answer(code, text[: len(text) // 2])
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[: len(text) // 2])
            self.wfile.flush()
            time.sleep(0.02)
            self.reset()
        if fault == "reset":
            self.reset()
        if fault == "silence":
            server.wait_for_end(40)
            raise Gone()
        if fault == "slow":
            time.sleep(2)
        elif fault == "garbage":
            return self.answer(200, b"<html>proxy</html>")
        elif fault == "empty":
            return self.answer(200, b"")
        elif isinstance(fault, tuple) and fault[0] != "watch":
            code, headers = fault
            return self.refuse(code, headers)
        elif isinstance(fault, int):
            return self.refuse(fault)
        if self.headers.get("Authorization") not in server.authorizations:
            return self.refuse(401)
        if call.watch:
            return self.watch(call, fault[1] if isinstance(fault, tuple) else None)
        return self.answer(*self.work(call, data))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def work(self, call, data):
        store = self.server.store
        if call.plural is None:
            return 404, failure(404, "NotFound", "no such path")
        with store.lock:
            return getattr(self, "on_" + call.verb)(store, call, json.loads(data) if data else {})

    def on_list(self, store, call, _):
        items = [o for (p, n, _), o in sorted(store.objects.items())
                 if p == call.plural and (not call.namespace or n == call.namespace) and selected(o, call.query)]
        start = int(call.query.get("continue") or 0)
        limit = min(int(call.query.get("limit") or 10 ** 6), self.server.page_limit)
        meta = {"resourceVersion": str(store.version)}
        if start + limit < len(items):
            meta["continue"] = str(start + limit)
        page = items[start:start + limit]
        if "PartialObjectMetadata" in (self.headers.get("Accept") or ""):
            page = [{"metadata": o["metadata"]} for o in page]
        return 200, {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": page}

    def on_get(self, store, call, _):
        found = store.objects.get((call.plural, call.namespace, call.name))
        return (200, found) if found else (404, failure(404, "NotFound", call.name + " not found"))

    def on_post(self, store, call, thing):
        made = store.make(call.plural, call.namespace, thing)
        return (201, made) if made else (409, failure(409, "AlreadyExists", "exists"))

    def changed(self, store, call, thing):
        old = store.objects.get((call.plural, call.namespace, call.name))
        if not old:
            return None, (404, failure(404, "NotFound", call.name + " not found"))
        version = thing.get("metadata", {}).get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            return None, (409, failure(409, "Conflict", "the object has been modified"))
        return copy.deepcopy(old), None

    def on_put(self, store, call, thing):
        old, refusal = self.changed(store, call, thing)
        if refusal:
            return refusal
        if call.sub == "status":
            old["status"] = thing.get("status", {})
        else:
            meta = old["metadata"]
            old = dict(thing, metadata=dict(meta, **thing["metadata"]))
        return 200, store.put(call.plural, call.namespace, call.name, old, "MODIFIED")

    def on_patch(self, store, call, patch):
        old, refusal = self.changed(store, call, patch)
        if refusal:
            return refusal
        patch.get("metadata", {}).pop("resourceVersion", None)
        if "apply" in (self.headers.get("Content-Type") or ""):
            merge_conditions(old, patch)
        merge(old, patch)
        return 200, store.put(call.plural, call.namespace, call.name, old, "MODIFIED")

    def on_delete(self, store, call, options):
        old, refusal = self.changed(store, call, {})
        if refusal:
            return refusal
        uid = options.get("preconditions", {}).get("uid")
        if uid and uid != old["metadata"]["uid"]:
            return 409, failure(409, "Conflict", "another uid")
        store.put(call.plural, call.namespace, call.name, old, "DELETED")
        return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    # Watches.

    def event(self, kind, thing):
        line = (json.dumps({"type": kind, "object": thing}) + "\n").encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def watch(self, call, trick):
        server, store = self.server, self.server.store
        since = int(call.query.get("resourceVersion") or 0)
        if trick != "no-410" and since < store.compacted:
            return self.refuse(410)
        generation = server.watch_generation
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if trick == "error-410":
            self.event("ERROR", failure(410, "Expired", "too old resource version"))
        elif trick == "error-500":
            self.event("ERROR", failure(500, "InternalError", "etcdserver: leader changed"))
        elif trick == "garbage":
            line = b"{\"type\": \"MODI\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        elif trick == "unknown":
            self.event("FANCY", {"metadata": {"name": "x"}})
        seen = since
        deadline = time.monotonic() + int(call.query.get("timeoutSeconds") or 300)
        while generation == server.watch_generation and time.monotonic() < deadline:
            with store.lock:
                news = store.since(seen, call.plural)
                if not news:
                    store.lock.wait(0.5)
                    news = store.since(seen, call.plural)
            for version, _, kind, thing in news:
                seen = version
                if selected(thing, call.query):
                    self.event(kind, thing)
                    if trick == "duplicates":
                        self.event(kind, thing)
                    if trick == "cut-line":
                        self.wfile.write(b"40\r\n{\"type\": \"MODIFIED\"")
                        self.wfile.flush()
                        self.reset()
            if trick == "silence":
                server.wait_for_end(3)
                self.reset()
            if trick in ("error-410", "error-500", "garbage"):
                break
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True


class ApiServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, certificate, key, token):
        self.context = None
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.use_certificate(certificate, key)
        self.authorizations = {"Bearer " + token}
        self.store, self.rules, self.requests = Store(), [], []
        self.page_limit, self.watch_generation, self.handshakes_failed = 500, 0, 0
        self.ending = threading.Event()
        self.accepting = True
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_):
        pass

    def verify_request(self, request, _):
        if not self.accepting:
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return self.accepting

    def use_certificate(self, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.context = context

    def fault_for(self, call):
        for rule in list(self.rules):
            if rule.meets(call):
                return rule.fault
        return None

    def end_watches(self):
        self.watch_generation += 1
        with self.store.lock:
            self.store.lock.notify_all()

    def compact(self):
        with self.store.lock:
            self.store.compacted = self.store.version
            self.store.log.clear()

    def wait_for_end(self, seconds):
        self.ending.wait(seconds)

    def end(self):
        self.ending.set()
        self.end_watches()
        self.shutdown()
        self.server_close()
