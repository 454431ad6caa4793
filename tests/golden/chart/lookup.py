"""Which addresses and ports the pods may reach, where there is a cluster to ask: renders the chart against a small
stand-in of its API. Arguments: the chart, and options for helm."""

import http.server
import json
import subprocess
import sys
import tempfile
import threading

import yaml

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"},
           "spec": {"clusterIP": "10.43.0.1", "clusterIPs": ["10.43.0.1", "fd00:43::1"]}}


def slice_of(service, port, *addresses):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": service, "namespace": "default", "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4", "endpoints": [{"addresses": [address]} for address in addresses],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}


SLICES = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSliceList",
          "items": [slice_of("kubernetes", 7443, "192.0.2.10", "192.0.2.11"), slice_of("shop", 8080, "198.51.100.7")]}


def resources(group_version, *items):
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
            "resources": [{"name": name, "singularName": "", "namespaced": namespaced, "kind": kind,
                           "verbs": ["get", "list"]} for name, kind, namespaced in items]}


GROUP = {"name": "discovery.k8s.io", "versions": [{"groupVersion": "discovery.k8s.io/v1", "version": "v1"}],
         "preferredVersion": {"groupVersion": "discovery.k8s.io/v1", "version": "v1"}}
ANSWERS = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [GROUP]},
    "/api/v1": resources("v1", ("services", "Service", True), ("namespaces", "Namespace", False)),
    "/apis/discovery.k8s.io/v1": resources("discovery.k8s.io/v1", ("endpointslices", "EndpointSlice", True)),
    "/api/v1/namespaces/default/services/kubernetes": SERVICE,
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": SLICES,
    "/api/v1/namespaces/default": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}},
}


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = ANSWERS.get(self.path.split("?")[0])
        body = json.dumps(answer or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def allowed(chart, options, kubeconfig):
    """Addresses and ports of the policy for the API server, as helm renders it."""
    done = subprocess.run(["helm", "template", "railiance-backup", chart, "--namespace", "railiance-backup",
                           "--dry-run=server", "--kube-version", "1.34.0", "--kubeconfig", kubeconfig,
                           "--show-only", "templates/networkpolicy.yaml", *options], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        sys.exit(done.stderr)
    (policy,) = [item for item in yaml.safe_load_all(done.stdout)
                 if item and item["metadata"]["name"] == "railiance-backup-api-server"]
    (rule,) = policy["spec"]["egress"]
    return [peer["ipBlock"]["cidr"] for peer in rule.get("to", [])], [port["port"] for port in rule["ports"]]


def main():
    chart, options = sys.argv[1], sys.argv[2:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "x",
                        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                        "users": [{"name": "x", "user": {}}],
                        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}, file)
        file.flush()
        asked, ports = allowed(chart, options, file.name)
        named, ports_beside = allowed(chart, [*options, "--set", "networkPolicy.apiServerCIDRs={10.0.0.0/8}"], file.name)
        cilium, ports_of_cilium = allowed(chart, [*options, "--api-versions", "cilium.io/v2"], file.name)
    expected = ["10.43.0.1/32", "fd00:43::1/128", "192.0.2.10/32", "192.0.2.11/32"]
    if asked != expected:
        sys.exit(f"the cluster names {expected}, the policy allows {asked or 'any address'}")
    if named != ["10.0.0.0/8"]:
        sys.exit(f"the values name 10.0.0.0/8, the policy allows {named or 'any address'}")
    if cilium:
        sys.exit(f"Cilium never takes an address for a node of the cluster, and the policy allows {cilium} alone")
    # k3s's https-listen-port.
    if ports != [443, 6443, 7443] or ports_of_cilium != ports or ports_beside != [443, 6443]:
        sys.exit(f"the API server is at port 7443, and the policy allows {ports}, {ports_of_cilium} with Cilium, {ports_beside} beside addresses of the values")


if __name__ == "__main__":
    main()
