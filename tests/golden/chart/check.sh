#!/bin/bash
# Holds the chart: it lints, it renders to the golden files, it refuses what it must, its copies of
# crds/ and deploy/ are current. UPDATE_GOLDEN=1 writes the golden files anew.
# Exit code 77: helm is not installed, nothing was checked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
. "$root/scripts/common.sh"
command -v helm >/dev/null || {
  echo "helm is not installed"
  exit 77
}
chart=$root/charts/railiance-backup
work=$(mktemp -d /tmp/railiance-chart-XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
render() {
  helm template railiance-backup "$chart" --namespace railiance-backup --kube-version 1.34.0 "$@"
}

# golden NAME ARGS...: the rendering with these values is tests/golden/chart/NAME.yaml.
golden() {
  local name=$1
  shift
  render "$@" >"$work/$name.yaml" || {
    fail "$name does not render"
    return
  }
  if [ -n "${UPDATE_GOLDEN:-}" ]; then
    cp "$work/$name.yaml" "$here/$name.yaml"
  elif ! diff -u "$here/$name.yaml" "$work/$name.yaml"; then
    fail "$name.yaml is not what the chart renders (UPDATE_GOLDEN=1 to take it)"
  fi
}

# says WORDS ARGS...: the notes of an installation with these values have the words. Helm renders notes
# for a cluster only; a copy of the chart has them as a template.
says() {
  local words=$1
  shift
  if [ ! -d "$work/noted" ]; then
    cp -r "$chart" "$work/noted"
    mv "$work/noted/templates/NOTES.txt" "$work/noted/templates/_notes.tpl"
    sed -i '1i {{ define "test.notes" }}' "$work/noted/templates/_notes.tpl"
    echo '{{ end }}' >>"$work/noted/templates/_notes.tpl"
    echo 'notes: {{ include "test.notes" . | toJson }}' >"$work/noted/templates/noted.yaml"
  fi
  helm template railiance-backup "$work/noted" --namespace railiance-backup --show-only templates/noted.yaml "$@" \
    >"$work/notes" 2>"$work/err" || fail "no notes: $(cat "$work/err")"
  sed -n 's/^notes: //p' "$work/notes" | jq -r . | grep -qF -- "$words" || fail "the notes do not say '$words': $*"
}

# refused WORDS ARGS...: the chart does not render, and says why.
refused() {
  local words=$1
  shift
  if render "$@" >"$work/out" 2>"$work/err"; then
    fail "took: $*"
  elif ! grep -qF -- "$words" "$work/err"; then
    cat "$work/err"
    fail "refused without saying '$words': $*"
  fi
}

sops=(--set-file "sops.config=$here/sops.yaml" --set crds.install=false)
helm lint --strict "$chart" --set-file "sops.config=$here/sops.yaml" >"$work/lint" || {
  cat "$work/lint"
  fail "helm lint"
}
golden default "${sops[@]}"
golden hardened "${sops[@]}" --values "$here/hardened-values.yaml"
golden offsite "${sops[@]}" --values "$here/offsite-values.yaml" --show-only templates/offsite.yaml \
  --show-only templates/rbac-offsite.yaml --show-only templates/networkpolicy.yaml
golden notify "${sops[@]}" --values "$here/notify-values.yaml" --show-only templates/controller.yaml \
  --show-only templates/agent.yaml --show-only templates/networkpolicy.yaml
golden upgrade-guard "${sops[@]}" --values "$here/upgrade-guard-values.yaml" --show-only templates/upgrade-guard.yaml
golden monitoring "${sops[@]}" --values "$here/monitoring-values.yaml" --show-only templates/monitoring.yaml

# What the notes have for a shell is pasted as it stands there, indented.
says "kubectl create -f -" "${sops[@]}"
sed -n 's/^notes: //p' "$work/notes" | jq -r . | sed -n '/kubectl create -f/,/kubectl wait/p' >"$work/pasted"
mkdir "$work/stand-in"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" != create ] || cat >"%s"\n' "$work/made" >"$work/stand-in/kubectl"
chmod 755 "$work/stand-in/kubectl"
PATH=$work/stand-in:$PATH bash "$work/pasted" || fail "the commands of the notes end with $?"
[ "$(jq -r .kind "$work/made")" = ClusterBackup ] || fail "the commands of the notes make no ClusterBackup: $(cat "$work/made")"

# A slash at the end of a directory, as the tabulator completes it, is no part of its path.
directories() {
  render "${sops[@]}" --set "agent.backupDir=/mnt/usb/b$1" --set "agent.backupMount=/mnt/usb$1" --set "agent.dataDir=/srv/k3s$1" \
    --set "agent.configDir=/etc/rancher$1" --set "agent.snapshotDir=/srv/s$1" --set "agent.scratchDir=/srv/t$1" \
    --set "agent.extraHostPaths[0].path=/srv/x$1" --set offsite.enabled=true --set offsite.existingSecret=s
}
directories "" >"$work/plain.yaml" || fail "directories do not render"
directories // >"$work/slashes.yaml" || fail "directories with a slash at the end do not render"
diff "$work/plain.yaml" "$work/slashes.yaml" || fail "a slash at the end of a directory changes the chart"

# A number alone is a limit, too, and however large it is none in exponents.
printf 'offsite: {enabled: true, existingSecret: s, bandwidthLimit: 2000000}\n' >"$work/limit-values.yaml"
render "${sops[@]}" --values "$work/limit-values.yaml" | grep -qF -- '"--offsite-bandwidth-limit=2000000"' || fail "a bandwidth limit that is a number"

# --set makes a boolean of true and a number of 8080, and Kubernetes takes texts only.
render "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s --set agent.nodeSelector.a=true --set controller.nodeSelector.a=true \
  --set schedule.nodeSelector.a=true --set agent.podAnnotations.b=1000000 --set controller.podAnnotations.b=1.5 \
  --set-json 'offsite.podAnnotations={"b": 8080}' >"$work/texts.yaml" || fail "annotations and selectors of other types do not render"
python3 -B - "$work/texts.yaml" <<'END' || fail "annotations and selectors are no texts"
import sys, yaml
pods = {}
for o in yaml.safe_load_all(open(sys.argv[1])):
    if o and o["kind"] in ("Deployment", "DaemonSet", "CronJob"):
        spec = o["spec"]["jobTemplate"]["spec"] if o["kind"] == "CronJob" else o["spec"]
        pods[o["metadata"]["name"]] = spec["template"]
assert all(pod["spec"]["nodeSelector"] == {"a": "true"} for pod in pods.values()) and len(pods) == 4, pods
found = {name: pod["metadata"]["annotations"].get("b") for name, pod in pods.items()}
assert sorted(map(str, found.values())) == ["1.5", "1000000", "8080", "None"] and not {int, float} & {type(b) for b in found.values()}, found
END

# Who can read the backups is said at the installation, whatever the layout of the file.
inputs=$root/tests/cases/inputs
says "creation rule 2 (path_regex .*\.yaml$) of .sops.yaml" --set-file "sops.config=$inputs/s26-catch-all-dev.yaml"
says age1g6ncpurpndq98xrq9g37mash9s20rwg7gtp7c026jzpjp62m8s7s3dllyx --set-file "sops.config=$inputs/s26-catch-all-dev.yaml"
says "creation rule 2 (for every path) of .sops.yaml" --set-file "sops.config=$inputs/s01-merge-key.yaml"
says age1g6ncpurpndq98xrq9g37mash9s20rwg7gtp7c026jzpjp62m8s7s3dllyx --set-file "sops.config=$inputs/s02-group-merge-key.yaml"
says 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN' --set-file "sops.config=$inputs/s09-ssh-mixed.yaml"
# A post-quantum key has some 1,960 characters: its beginning and its end are said.
says '    age1pq1pcmvrnyxrxjdc4ccz...' --set-file "sops.config=$inputs/s17-pq.yaml"
says "No creation rule of .sops.yaml is for" --set-file "sops.config=$inputs/s20-unrelated-rule-yubikey.yaml"
# Where no rule matches, as in most templates of clusters, too.
says age1nv57t228a934762hyjr4gde8vqy5demjk7ry2xw5aft8wledfuzq223hhr --set-file "sops.config=$inputs/s34-no-rule-for-us.yaml"
# In a file of values it may be YAML itself: the ConfigMap has the text that means the same.
cat >"$work/sops-values.yaml" <<'END'
sops:
  config:
    creation_rules:
      - {path_regex: '.*\.prod\.yaml$', age: age1g6ncpurpndq98xrq9g37mash9s20rwg7gtp7c026jzpjp62m8s7s3dllyx}
      - age: >-
          age1nv57t228a934762hyjr4gde8vqy5demjk7ry2xw5aft8wledfuzq223hhr
END
says "creation rule 2 (for every path) of .sops.yaml" --values "$work/sops-values.yaml"
render --values "$work/sops-values.yaml" --show-only templates/sops-configmap.yaml >"$work/sops-map.yaml"
python3 -B - "$work" <<'END' || fail "a .sops.yaml that is YAML in the values"
import sys, yaml
given = yaml.safe_load(open(sys.argv[1] + "/sops-values.yaml"))["sops"]["config"]
assert yaml.safe_load(yaml.safe_load(open(sys.argv[1] + "/sops-map.yaml"))["data"][".sops.yaml"]) == given
END
refused "private key" --set sops.config.keys=AGE-SECRET-KEY-1XYZXYZXYZXYZXYZXYZ

# And where no backup can be made by it, or it is not what it should be: the notes say so, and end no installation.
says "NO BACKUP CAN BE MADE YET: creation rule 1 (for every path)" --set-file "sops.config=$inputs/s32-kms-only.yaml"
says "NO BACKUP CAN BE MADE YET: .sops.yaml cannot be read" --set-file "sops.config=$inputs/s37-double-quoted-regex.yaml"
says "has several key" --set-json 'sops.config="creation_rules: [{key_groups: [{age: [age1a]}, {age: [age1b]}]}]"'
says "no creation rule of .sops.yaml names an age recipient" --set-json 'sops.config="creation_rules: none"'
# The first line is further to the right than the others, and the last rule is a dash alone.
says "creation rule 1 (for every path) of .sops.yaml" --set-file "sops.config=$inputs/s33-first-line-indented.yaml"
render --set-file "sops.config=$inputs/s33-first-line-indented.yaml" --show-only templates/sops-configmap.yaml >"$work/indented.yaml"
grep -qxF '        # The keys of the cluster.' "$work/indented.yaml" || fail "a .sops.yaml whose first line is indented is another in the ConfigMap"
says "the ConfigMap mine" --set sops.existingConfigMap=mine
# Servers that share a directory off-site.
says "offsite.directoryPerNode=true" "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s

refused "no .sops.yaml given"
refused "give one of them" "${sops[@]}" --set sops.existingConfigMap=mine
refused "private key" --set sops.config=AGE-SECRET-KEY-1XYZXYZXYZXYZXYZXYZ
refused "private key" --set sops.config=AGE-SECRET-KEY-PQ-1XYZXYZXYZXYZXYZ
refused "private key" --set sops.config=AGE-PLUGIN-PQ-1XYZXYZXYZXYZXYZ
says "creation rule 1 (for every path)" --set-json 'sops.config="# the private key (AGE-SECRET-KEY-1...) is in the vault\ncreation_rules: [{age: age1nv57t228a934762hyjr4gde8vqy5demjk7ry2xw5aft8wledfuzq223hhr}]"'
refused "private key" --set-file "sops.config=$root/tests/unit/age/vectors/ssh-ed25519"
printf '\377\376a\0:\0' >"$work/utf16.yaml"
printf 'creation_rules: [] # \374\n' >"$work/latin1.yaml"
refused "sops.config is not UTF-8" --set-file "sops.config=$work/utf16.yaml"
refused "sops.config is not UTF-8" --set-file "sops.config=$work/latin1.yaml"
refused "keepLast" "${sops[@]}" --set schedule.keepLast=0
refused "artifacts" "${sops[@]}" --set 'schedule.artifacts={Disk}'
refused "backupDir" "${sops[@]}" --set agent.backupDir=backups
refused "backupDir" "${sops[@]}" --set agent.backupDir=//
refused "servers" "${sops[@]}" --set schedule.servers=Two
refused "verification" "${sops[@]}" --set schedule.verification=Twice
refused "needs agent.privileged=true" "${sops[@]}" --set schedule.verification=Boot --set agent.privileged=false
refused "needs Datastore" "${sops[@]}" --set schedule.verification=Boot --set 'schedule.artifacts={Kubeconfig}'
refused "needs a Secret" "${sops[@]}" --set offsite.enabled=true
refused "apiServerCIDRs" "${sops[@]}" --set 'networkPolicy.apiServerCIDRs={everywhere}'
refused "remote" "${sops[@]}" --set offsite.remote=:webdav,pass=secret:backups
refused "remote" "${sops[@]}" --set offsite.remote=backups
refused "notify needs a Secret" "${sops[@]}" --set notify.deadMan.enabled=true
refused "notify needs a Secret" "${sops[@]}" --set notify.webhook.enabled=true
refused "format" "${sops[@]}" --set notify.webhook.format=teams
refused "is for notify.webhook.format=json" "${sops[@]}" --set notify.webhook.format=slack --set-json 'notify.webhook.template="{}"'
refused "mustFromJson" "${sops[@]}" --set-json 'notify.webhook.template="{\"a\": {{title}}}"'
refused "networkPolicy.metricsFrom" "${sops[@]}" --set monitoring.podMonitor.enabled=true
refused "runbookBaseURL" "${sops[@]}" --set monitoring.alerts.runbookBaseURL=docs
refused "serviceAccount" "${sops[@]}" --set upgradeGuard.enabled=true --set upgradeGuard.serviceAccount.name=
refused "not allowed" "${sops[@]}" --set agent.priviledged=false

render "${sops[@]}" --set networkPolicy.enabled=false >"$work/open.yaml"
! grep -q 'kind: NetworkPolicy' "$work/open.yaml" || fail "networkPolicy.enabled=false leaves a policy"
# A disk of its own is mounted at its mount point, so that one that is mounted later is seen.
for values in --set=agent.backupDir=/mnt/usb/backups "--set=agent.backupDir=/srv/usb/b,agent.backupMount=/srv/usb"; do
  render "${sops[@]}" "$values" --set offsite.enabled=true --set offsite.existingSecret=s >"$work/disk.yaml"
  [ "$(grep -c 'mountPropagation: HostToContainer' "$work/disk.yaml")" = 2 ] || fail "a disk that is mounted later is not seen: $values"
  [ "$(grep -cE '^ *(mountPath|path): "/(mnt|srv)/usb"$' "$work/disk.yaml")" = 4 ] || fail "not the mount point: $values"
done
# Kubernetes takes no two mounts at one place; what is mounted for both is written to where one of them is.
render "${sops[@]}" --set agent.backupDir=/mnt/nfs/railiance --set agent.snapshotDir=/mnt/nfs --set agent.scratchDir=/srv/both \
  --set 'agent.kubeconfigSources={/mnt/nfs/kubeconfig,/tmp/kubeconfig,/etc/rancher/admin,/srv/both/config,/root/.kube/config}' \
  --set 'agent.extraHostPaths[0].path=/srv/both,agent.extraHostPaths[0].readOnly=true,agent.extraHostPaths[1].path=/srv/more' >"$work/places.yaml"
python3 -B - "$work/places.yaml" <<'END' || fail "a place is mounted twice, or read-only"
import sys, yaml
(agent,) = [o["spec"]["template"]["spec"] for o in yaml.safe_load_all(open(sys.argv[1])) if o and o["kind"] == "DaemonSet"]
mounts = agent["containers"][0]["volumeMounts"]
places = [mount["mountPath"] for mount in mounts]
assert len(places) == len(set(places)), places
assert {mount["name"] for mount in mounts} == {volume["name"] for volume in agent["volumes"]}
for place in ("/mnt/nfs", "/srv/both", "/srv/more"):
    assert [not mount.get("readOnly") for mount in mounts if mount["mountPath"] == place] == [True], place
assert "/root/.kube" in places
END
# A chart that has this one among its dependencies switches it by a condition, which is a value here.
render "${sops[@]}" --set enabled=true >"$work/part.yaml" || fail "it is no part of another chart: enabled is refused"
# Every address of both families: the kubelet probes a pod's first one. An address of IPv6 stands in brackets.
render "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s --set agent.metricsAddress=fd00::7 >"$work/six.yaml"
grep -q -- '- --offsite$' "$work/six.yaml" || fail "the controller does not know that sets are copied off-site"
[ "$(grep -cxF -- '            - "--metrics-listen=[::]:8080"' "$work/six.yaml")" = 2 ] || fail "a pod with an IPv6 address first is not heard"
grep -qxF -- '            - "--metrics-listen=[fd00::7]:9809"' "$work/six.yaml" || fail "the agent at an address of IPv6"
[ "$(grep -cxF -- '              host: "fd00::7"' "$work/six.yaml")" = 3 ] || fail "the agent's probes at an address of IPv6"
render "${sops[@]}" --set agent.metricsAddress=:: >"$work/any.yaml"
[ "$(grep -cxF -- '              host: "127.0.0.1"' "$work/any.yaml")" = 3 ] || fail "the agent's probes at every address"
refused "metricsAddress" "${sops[@]}" --set agent.metricsAddress=localhost
refused "backupMount" "${sops[@]}" --set agent.backupMount=/mnt/usb
# What YAML would read as something else arrives as it was given.
odd='/srv/it #1: "x" '"'y'"
render "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s --set 'offsite.bandwidthLimit=1M #: x' \
  --set "agent.backupDir=$odd/b" --set "agent.dataDir=$odd/d" --set "agent.k3sPath=$odd/p/k3s" --set "agent.configDir=$odd/c" \
  --set "agent.scratchDir=$odd/s" --set "agent.snapshotDir=$odd/n" --set "agent.kubeconfigSources[0]=$odd/k/config" \
  --set "agent.extraHostPaths[0].path=$odd/e" --set 'agent.etcdServer=https://h #: x' >"$work/odd.yaml"
python3 -B - "$work/odd.yaml" "$odd" <<'END' || fail "a value that YAML reads as something else"
import sys, yaml
odd = sys.argv[2]
pods = {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in yaml.safe_load_all(open(sys.argv[1])) if o and o["kind"] == "DaemonSet"}
agent, copier = pods["railiance-backup-agent"], pods["railiance-backup-offsite"]
wanted = [f"--backup-dir={odd}/b", f"--data-dir={odd}/d", f"--k3s={odd}/p/k3s", f"--config-dir={odd}/c", f"--scratch-dir={odd}/s",
          f"--etcd-snapshot-dir={odd}/n", f"--kubeconfig-source={odd}/k/config", f"--kubeconfig-source={odd}/c/k3s/k3s.yaml",
          "--etcd-server=https://h #: x"]
args = agent["containers"][0]["args"]
assert not set(wanted) - set(args), set(wanted) - set(args)
assert {f"--backup-dir={odd}/b", "--offsite-bandwidth-limit=1M #: x"} <= set(copier["containers"][0]["args"])
places = {f"{odd}/{name}" for name in "bdpcsnke"}
for pod, some in ((agent, places), (copier, {f"{odd}/b"})):
    assert some <= {m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    assert some <= {v["hostPath"]["path"] for v in pod["volumes"] if "hostPath" in v}
END
# With Nix k3s is a script, and needs more of the store than its directory.
render "${sops[@]}" --set agent.k3sPath=/nix/var/nix/profiles/system/sw/bin/k3s >"$work/nix.yaml"
[ "$(grep -cE '^ +(mountPath|path): "/nix"$' "$work/nix.yaml")" = 2 ] || fail "the store of Nix is not mounted"
# Nobody but the node gets in before somebody is named.
render "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s >"$work/closed.yaml"
! grep -q '^  ingress:' "$work/closed.yaml" || fail "without metricsFrom a policy lets somebody in"
# A remote without a path is the directory that a login leads to, also with one for each node.
for per_node in false true; do
  render "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s --set offsite.remote=box: \
    --set "offsite.directoryPerNode=$per_node" --show-only templates/offsite.yaml >"$work/box-$per_node.yaml"
done
grep -qxF -- '            - "--offsite-remote=box:"' "$work/box-false.yaml" || fail "a remote without a path"
grep -qxF -- "            - \"--offsite-remote=box:\$(NODE_NAME)\"" "$work/box-true.yaml" || fail "a directory for each node below a remote without a path"
# Without a receiver nothing of notices is there, and a Secret that is missing keeps no controller from starting.
# A sidecar of a mesh would keep the scheduled Job from ending. The agents have the host's network, which no mesh takes.
render "${sops[@]}" --set offsite.enabled=true --set offsite.existingSecret=s --set 'controller.podAnnotations.linkerd\.io/inject=enabled' >"$work/mesh.yaml"
[ "$(grep -c '^ *linkerd.io/inject: disabled$' "$work/mesh.yaml")" = 2 ] || fail "Linkerd injects a sidecar"
[ "$(grep -c '^ *linkerd.io/inject:' "$work/mesh.yaml")" = 3 ] || fail "an annotation of the values stands twice, or not at all"
[ "$(grep -c '^ *sidecar.istio.io/inject: "false"$' "$work/mesh.yaml")" = 6 ] || fail "Istio injects a sidecar"
[ "$(grep -c '^ *istio.io/dataplane-mode: none$' "$work/mesh.yaml")" = 3 ] || fail "Istio's ambient mode takes the pods"
# Flux puts a digest behind a chart's version, and no label may have a "+". Its post-renderer and kustomize take no
# key twice, whatever labels the values have.
cp -r "$chart" "$work/digest"
sed -i 's/^version:.*/&+298d1ee42908/' "$work/digest/Chart.yaml"
helm template railiance-backup "$work/digest" --namespace railiance-backup "${sops[@]}" >"$work/digest.yaml"
[ "$(grep -c '^ *helm.sh/chart: railiance-backup-[0-9.]*_298d1ee42908$' "$work/digest.yaml")" -gt 20 ] || fail "the chart's version makes no label"
cat >"$work/labels-values.yaml" <<'END'
commonLabels:
  { app.kubernetes.io/part-of: platform, app.kubernetes.io/name: backup, app.kubernetes.io/component: backup, app.kubernetes.io/managed-by: flux,
    helm.sh/chart: x, sidecar.istio.io/inject: "true", release: one, team: platform }
monitoring: { podMonitor: { enabled: true, labels: { release: two } }, alerts: { enabled: true, labels: { release: two } }, dashboard: { enabled: true, labels: { team: graphs } } }
networkPolicy: { metricsFrom: [{ podSelector: {} }] }
offsite: { enabled: true, existingSecret: s }
END
render "${sops[@]}" --values "$work/labels-values.yaml" >"$work/labels.yaml"
python3 -B - "$work/labels.yaml" <<'END' || fail "labels of the values beside the chart's own"
import sys, yaml
class Strict(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{node.start_mark}: a key stands twice among {keys}"
        return super().construct_mapping(node, deep)
objects = [item for item in yaml.load_all(open(sys.argv[1]), Loader=Strict) if item]
for item in objects:
    labels = item["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "railiance-backup" and labels["app.kubernetes.io/managed-by"] == "Helm", labels
    assert labels["app.kubernetes.io/part-of"] == "platform" and labels.get("app.kubernetes.io/component") != "backup", labels
    assert labels["release"] == ("two" if item["kind"] in ("PodMonitor", "PrometheusRule") else "one"), labels
END
render "${sops[@]}" --set notify.existingSecret=s >"$work/untold.yaml"
! grep -q -e railiance-backup-notify -e --notify "$work/untold.yaml" || fail "notify is there without a receiver"
grep -qF 'optional: true' "$here/notify.yaml" || fail "the Secret of notify is not optional"
# A schedule for one server asks for that; values of an installation that did not know of it yet mean all.
render "${sops[@]}" --set schedule.servers=One --show-only templates/schedule.yaml >"$work/one.yaml"
grep -qxF -- '                - --servers=one' "$work/one.yaml" || fail "servers One renders without --servers=one"
render "${sops[@]}" --set schedule.servers=null >"$work/unsaid.yaml"
diff -u "$here/default.yaml" "$work/unsaid.yaml" || fail "without schedule.servers another schedule is rendered"
# What Kubernetes takes for a schedule, the chart takes.
for cron in @daily @every\ 12h '*/30 1-3 * * MON-FRI'; do
  render "${sops[@]}" --set "schedule.cron=$cron" --show-only templates/schedule.yaml >"$work/cron.yaml" || fail "refused: $cron"
  grep -qxF "  schedule: \"$cron\"" "$work/cron.yaml" || fail "not the schedule: $cron"
done
refused "cron" "${sops[@]}" --set schedule.cron=02:00
refused "cron" "${sops[@]}" --set schedule.cron=
# Helm reads the numbers of a file as floating point: a million would be 1e+06, which the API server refuses.
printf 'schedule: {startingDeadlineSeconds: 1209600, ttlSecondsAfterFinished: 2419200}\n' >"$work/long-values.yaml"
render "${sops[@]}" --values "$work/long-values.yaml" --show-only templates/schedule.yaml >"$work/long.yaml"
for words in '  startingDeadlineSeconds: 1209600' '                - --ttl=2419200s'; do
  grep -qxF -- "$words" "$work/long.yaml" || fail "a large number of a file does not render as one: $words"
done
# A schedule of proven runs asks for them, and the agent has a place for the scratch server.
render "${sops[@]}" --set schedule.verification=Boot --set agent.scratchDir=/srv/scratch >"$work/proven.yaml"
for words in '- --verification=boot' '- "--scratch-dir=/srv/scratch"' 'mountPath: "/srv/scratch"'; do
  grep -qF -- "$words" "$work/proven.yaml" || fail "verification Boot renders without $words"
done

# Another account gets rights only where it is asked for, and makes backups only where that is, too.
! grep -q upgrade-guard "$here/default.yaml" || fail "the account of upgrade Plans has rights by default"
render "${sops[@]}" --set upgradeGuard.enabled=true --show-only templates/upgrade-guard.yaml >"$work/guard.yaml"
! grep -q clusterbackups "$work/guard.yaml" || fail "upgradeGuard lets it make backups without upgradeGuard.backup"

# Every right has its reason, every pod its limits, in both profiles of the agent.
for profile in true false; do
  render "${sops[@]}" --values "$here/offsite-values.yaml" --set "agent.privileged=$profile" \
    --set upgradeGuard.enabled=true --set upgradeGuard.backup=true >"$work/all.yaml"
  python3 "$here/rbac.py" "$work/all.yaml" "$root/docs/threat-model.md" "$root" || fail "rights or limits (privileged=$profile)"
done

# Where there is a cluster to ask, the pods reach its API server and nothing else.
python3 -B "$here/lookup.py" "$chart" "${sops[@]}" || fail "the addresses of the API server"

# Nothing that runs beside who can write there may write there, and its memory lies elsewhere.
python3 -B - "$here/offsite.yaml" <<'END' || fail "the off-site pod"
import sys, yaml
(pod,) = [o["spec"]["template"]["spec"] for o in yaml.safe_load_all(open(sys.argv[1])) if o and o["kind"] == "DaemonSet"]
(copier,) = pod["containers"]
mounts = {m["name"]: m for m in copier["volumeMounts"]}
paths = {v["name"]: v.get("hostPath", {}).get("path", "") for v in pod["volumes"]}
assert mounts["backup"]["readOnly"] and mounts["public-key"]["readOnly"], mounts
assert not paths["state"].startswith(paths["backup"]), paths
assert all(path != "/var/lib/railiance-backup" for path in paths.values()), "the signing key is mounted"
END

# The CRDs come out as they are in crds/, but for the annotation that keeps them.
render --set-file "sops.config=$here/sops.yaml" --show-only templates/crds.yaml >"$work/crds.yaml"
for crd in "$root"/crds/*.yaml; do
  grep -v '^#' "$crd" >>"$work/source"
done
grep -v -e '^#' -e '^---' -e '^  annotations:$' -e 'helm.sh/resource-policy: keep' "$work/crds.yaml" >"$work/rendered"
diff "$work/source" "$work/rendered" || fail "the rendered CRDs are not those of crds/"
[ "$(grep -c 'helm.sh/resource-policy: keep' "$work/crds.yaml")" = 3 ] || fail "a CRD is not kept"

python3 -B "$here/specs.py" "$root/crds/backup.railiance.io_clusterbackups.yaml" || fail "what a ClusterBackup may ask for"

# A newer chart has sections that the values of an older installation lack: --reuse-values leaves them out, and
# --set alone resets what was set.
grep -rnE 'helm upgrade .*--set' "$root/docs" "$root/README.md" "$chart/templates/NOTES.txt" |
  grep -v -e --install -e --reset-then-reuse-values && fail "a helm upgrade that loses values, or stops at a newer chart"

"$root/scripts/render.sh" --check || fail "something made from the chart is stale"

[ "$failures" = 0 ] || exit 1
echo "the chart holds"
