{{/* The names in the cluster are fixed: the programs look for each other by them. */}}

{{- define "rb.labels" -}}
{{- include "rb.labelsAnd" (list . dict) -}}
{{- end }}

{{/* The labels of every object, and more of the values: no key twice, which Flux's post-renderer and kustomize
refuse, and none in the place of what is looked for. Flux puts a digest behind a chart's version ("0.1.0+298d1e"). */}}
{{- define "rb.labelsAnd" -}}
{{- $root := index . 0 -}}
{{- $more := mergeOverwrite dict (default dict $root.Values.commonLabels) (default dict (index . 1)) -}}
{{- $more = omit $more "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "app.kubernetes.io/component" -}}
{{- range $key, $_ := include "rb.noMeshLabels" $root | fromYaml -}}
  {{- $more = omit $more $key -}}
{{- end -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
app.kubernetes.io/name: railiance-backup
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
{{- if not (hasKey $more "app.kubernetes.io/part-of") }}
app.kubernetes.io/part-of: railiance-backup
{{- end }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with $more }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rb.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* "true" where somebody is told. */}}
{{- define "rb.notify" -}}
{{- if or .Values.notify.deadMan.enabled .Values.notify.webhook.enabled -}}
true
{{- end -}}
{{- end }}

{{/* The flags of lib/notify/settings.hpp, but for the dead-man check, which only the controller tells. */}}
{{- define "rb.notifyArgs" -}}
{{- if include "rb.notify" . -}}
{{- with .Values.notify -}}
- --notify-secret-dir=/etc/railiance-backup-notify
{{- if .webhook.enabled }}
- --notify-webhook
- --notify-format={{ .webhook.format }}
{{- if .webhook.successes }}
- --notify-successes
{{- end }}
{{- with .webhook.template }}
- {{ printf "--notify-template=%s" . | quote }}
{{- end }}
{{- end }}
{{- if .customCA }}
- --notify-ca=/etc/railiance-backup-notify/ca.crt
{{- end }}
{{- if .allowHTTP }}
- --notify-allow-http
{{- end }}
{{- with .clusterName }}
- {{ printf "--cluster-name=%s" . | quote }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The values of the agent, as JSON, with its directories as the programs and Kubernetes compare them: whoever
completes a path with the tabulator has a slash at its end. */}}
{{- define "rb.agent" -}}
{{- $agent := deepCopy .Values.agent -}}
{{- range list "backupDir" "backupMount" "dataDir" "configDir" "snapshotDir" "scratchDir" -}}
  {{- $_ := set $agent . (regexReplaceAll "/+$" (get $agent .) "") -}}
{{- end -}}
{{- range $agent.extraHostPaths -}}
  {{- $_ := set . "path" (regexReplaceAll "/+$" .path "") -}}
{{- end -}}
{{- toJson $agent -}}
{{- end }}

{{/* What the agent needs to run k3s: its directory. With Nix it is a script that needs more of the store. */}}
{{- define "rb.k3sVolume" -}}
{{- with .Values.agent.k3sPath -}}
{{ if hasPrefix "/nix/" . }}/nix{{ else }}{{ dir . }}{{ end }}
{{- end -}}
{{- end }}

{{/* Where the sets of a node go. "box:" is the directory that a login leads to, "box:/NODE" one of the root. */}}
{{- define "rb.offsiteRemote" -}}
{{- with .Values.offsite -}}
{{- .remote }}{{ if .directoryPerNode }}{{ if not (regexMatch "[:/]$" .remote) }}/{{ end }}$(NODE_NAME){{ end }}
{{- end -}}
{{- end }}

{{- define "rb.rcloneImage" -}}
{{- with .Values.offsite.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "rb.sopsConfigMap" -}}
{{ .Values.sops.existingConfigMap | default "railiance-backup-sops" }}
{{- end }}

{{/* The text of .sops.yaml. In a file of values it may be YAML itself, as all else there is. */}}
{{- define "rb.sopsText" -}}
{{- with .Values.sops.config -}}
{{- ternary (toYaml .) (toString .) (kindIs "map" .) -}}
{{- end -}}
{{- end }}

{{/* Recipients, a line each; post-quantum ones by their beginning and end. */}}
{{- define "rb.keyLines" -}}
{{- range . }}
    {{ if gt (len .) 100 }}{{ trunc 24 . }}...{{ trunc -12 . }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end -}}

{{/* Who can read the backups, in words, for NOTES.txt. The program decides it (railiance-backup recipients);
     this says what it will find: the first rule that is for railiance-backup.yaml, else what all must name. What
     it makes nothing of is no reason not to install. */}}
{{- define "rb.whoReads" -}}
{{- $found := dict "groups" (list) "keys" (list) -}}
{{- $first := dict -}}
{{- if .Values.sops.existingConfigMap -}}
Who can read the backups stands in the ConfigMap {{ .Values.sops.existingConfigMap }}.
{{- else -}}
{{- $file := include "rb.sopsText" . | fromYaml -}}
{{- $rules := ternary (get $file "creation_rules") (list) (kindIs "slice" (get $file "creation_rules")) -}}
{{- range $i, $each := $rules -}}
{{- $rule := ternary $each (dict) (kindIs "map" $each) -}}
{{- $regex := toString (default "" $rule.path_regex) -}}
{{- $name := printf "creation rule %d (%s)" (add1 $i) ($regex | empty | ternary "for every path" (printf "path_regex %s" $regex)) -}}
{{- $keys := regexFindAll "age1[0-9a-z]+|ssh-ed25519 [0-9A-Za-z+/=]+" (printf "%v" (default $rule.age $rule.key_groups)) -1 | uniq -}}
{{- if and (not $found.rule) (or (not $regex) (regexMatch $regex "railiance-backup.yaml")) -}}
{{- $_ := set $found "rule" $name -}}
{{- $_ := set $found "keys" $keys -}}
{{- $_ := set $found "groups" (ternary $rule.key_groups (list) (kindIs "slice" $rule.key_groups)) -}}
{{- end -}}
{{- if and $keys (not $first.rule) -}}
{{- $_ := set $first "rule" $name -}}
{{- $_ := set $first "keys" $keys -}}
{{- end -}}
{{- end -}}
{{- if gt (len $found.groups) 1 -}}
NO BACKUP CAN BE MADE YET: {{ $found.rule }} of .sops.yaml is for railiance-backup.yaml, and has several key
groups (Shamir's secret sharing). Give the backups a rule of their own, before it.
{{- else if $found.keys -}}
Who can read the backups is decided by {{ $found.rule }} of .sops.yaml:
{{- include "rb.keyLines" $found.keys }}
{{- else if $found.rule -}}
NO BACKUP CAN BE MADE YET: {{ $found.rule }} of .sops.yaml is for railiance-backup.yaml, and names no age
recipient. Give the backups a rule of their own, before it.
{{- else if $first.rule -}}
No creation rule of .sops.yaml is for railiance-backup.yaml: its rules must all name the same recipients, those of
{{ $first.rule }}:
{{- include "rb.keyLines" $first.keys }}
{{- else if $file.Error -}}
NO BACKUP CAN BE MADE YET: .sops.yaml cannot be read: {{ $file.Error }}
{{- else -}}
NO BACKUP CAN BE MADE YET: no creation rule of .sops.yaml names an age recipient.
{{- end -}}
{{- end }}
Check it beforehand, or after a change:

    railiance-backup recipients .sops.yaml
{{- end -}}

{{/* A changed .sops.yaml restarts the pods, so that the next run reads the new recipients. */}}
{{- define "rb.sopsChecksum" -}}
{{- if not .Values.sops.existingConfigMap -}}
checksum/sops-config: {{ include "rb.sopsText" . | sha256sum | trunc 16 }}
{{- end -}}
{{- end }}

{{/* No sidecar of a service mesh: a Job would never end, and its network policies let no mesh through. All that
these pods talk to is the API server and, by TLS, what the operator names. Istio (label since 1.13, annotation
before; its ambient mode has no sidecar, but probes come from an address there that policies of Cilium shut
out), Kuma; Linkerd, Consul. Annotations of the values win. */}}
{{- define "rb.noMeshLabels" -}}
sidecar.istio.io/inject: "false"
istio.io/dataplane-mode: none
kuma.io/sidecar-injection: disabled
{{- end }}
{{- define "rb.noMeshAnnotations" -}}
sidecar.istio.io/inject: "false"
linkerd.io/inject: disabled
consul.hashicorp.com/connect-inject: "false"
{{- end }}
{{- define "rb.podAnnotations" -}}
{{- include "rb.texts" (mergeOverwrite (include "rb.noMeshAnnotations" . | fromYaml) (deepCopy (default dict .))) -}}
{{- end }}

{{/* A map of texts, which is all that Kubernetes takes for annotations and node selectors: --set makes booleans and
numbers of some ("true", "8080"), and so does YAML without quotes. */}}
{{- define "rb.texts" -}}
{{- $texts := dict -}}
{{- range $key, $value := . -}}
  {{- $whole := and (kindIs "float64" $value) (eq (float64 (int64 $value)) $value) -}}
  {{- $_ := set $texts $key (ternary (toString (int64 $value)) (toString $value) $whole) -}}
{{- end -}}
{{- toYaml $texts -}}
{{- end }}

{{/* The "restricted" pod security standard. */}}
{{- define "rb.restrictedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "rb.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The addresses of the API server, as a JSON list: those of the values, else those that the cluster
itself names for the service `kubernetes` and what is behind it. `helm template` has no cluster to
ask: then the list is empty, which is any address on the ports of the API server. So it is with Cilium,
where an address of a policy never means a node of the cluster: the servers would be shut out. */}}
{{- define "rb.apiServerCIDRs" -}}
{{- $cidrs := .Values.networkPolicy.apiServerCIDRs -}}
{{- if not (or $cidrs (.Capabilities.APIVersions.Has "cilium.io/v2")) -}}
  {{- $addresses := list -}}
  {{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items -}}
    {{- if eq (dig "labels" "kubernetes.io/service-name" "" .metadata) "kubernetes" -}}
      {{- range .endpoints -}}
        {{- $addresses = concat $addresses .addresses -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- with lookup "v1" "Service" "default" "kubernetes" -}}
    {{- if $addresses -}}
      {{- $addresses = concat (.spec.clusterIPs | default (list .spec.clusterIP)) $addresses -}}
    {{- end -}}
  {{- end -}}
  {{- range uniq $addresses -}}
    {{- $cidrs = append $cidrs (printf "%s/%s" . (ternary "128" "32" (contains ":" .))) -}}
  {{- end -}}
{{- end -}}
{{- toJson $cidrs -}}
{{- end }}

{{/* The ports of the API server, as a JSON list: those of the values, and those that the cluster itself names
(k3s's https-listen-port), where it is asked for the addresses, too. */}}
{{- define "rb.apiServerPorts" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.apiServerPorts -}}
  {{- $ports = append $ports (int64 .) -}}
{{- end -}}
{{- if not .Values.networkPolicy.apiServerCIDRs -}}
  {{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items -}}
    {{- if eq (dig "labels" "kubernetes.io/service-name" "" .metadata) "kubernetes" -}}
      {{- range .ports -}}
        {{- $ports = append $ports (int64 .port) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson (uniq $ports) -}}
{{- end }}

{{/* What of the host is mounted for the backups: where they are expected on a disk of its own, its
mount point, so that the pod sees it when it is mounted later; else the directory. */}}
{{- define "rb.backupVolume" -}}
{{- $agent := include "rb.agent" . | fromJson -}}
{{- if hasPrefix "/" $agent.backupMount -}}
{{ $agent.backupMount }}
{{- else if eq $agent.backupMount "none" -}}
{{ $agent.backupDir }}
{{- else -}}
{{ regexFind "^(/mnt/[^/]+|/media/[^/]+|/run/media/[^/]+/[^/]+)" $agent.backupDir | default $agent.backupDir }}
{{- end -}}
{{- end }}

{{/* Only there: the node's mounts must be shared for it, which not every node without a disk of its own has. */}}
{{- define "rb.backupPropagation" -}}
{{- $agent := include "rb.agent" . | fromJson -}}
{{- if ne (include "rb.backupVolume" .) $agent.backupDir -}}
mountPropagation: HostToContainer
{{- else if hasPrefix "/" $agent.backupMount -}}
mountPropagation: HostToContainer
{{- end -}}
{{- end }}

{{/* What else of the host the agent sees, as a JSON list. Kubernetes takes no two mounts at one place: what is
mounted there already does for both, and what is to be written is never had read-only. A missing kubeconfig must
not keep the agent, and so every backup, from running. */}}
{{- define "rb.agentHostPaths" -}}
{{- $agent := include "rb.agent" . | fromJson -}}
{{- $taken := list "/tmp" "/host/etc" "/var/lib/railiance-backup" (include "rb.backupVolume" .) $agent.dataDir (dir $agent.k3sPath) $agent.configDir -}}
{{- $written := compact (list $agent.snapshotDir $agent.scratchDir) -}}
{{- range $agent.extraHostPaths -}}
  {{- if not .readOnly -}}
    {{- $written = append $written .path -}}
  {{- end -}}
{{- end -}}
{{- $wanted := list -}}
{{- range $agent.kubeconfigSources -}}
  {{- if not (has (dir .) (append (concat $taken $written) (printf "%s/k3s" $agent.configDir))) -}}
    {{- $wanted = append $wanted (dict "name" (printf "kubeconfig-%d" (len $wanted)) "path" (dir .) "type" "DirectoryOrCreate" "readOnly" true) -}}
    {{- $taken = append $taken (dir .) -}}
  {{- end -}}
{{- end -}}
{{- range list (dict "name" "snapshots" "path" $agent.snapshotDir "type" "Directory") (dict "name" "scratch" "path" $agent.scratchDir "type" "DirectoryOrCreate") -}}
  {{- if and .path (not (has .path $taken)) -}}
    {{- $wanted = append $wanted . -}}
    {{- $taken = append $taken .path -}}
  {{- end -}}
{{- end -}}
{{- range $index, $extra := $agent.extraHostPaths -}}
  {{- if not (or (has .path $taken) (and .readOnly (has .path $written))) -}}
    {{- $wanted = append $wanted (dict "name" (printf "extra-%d" $index) "path" .path "type" "Directory" "readOnly" (default false .readOnly)) -}}
    {{- $taken = append $taken .path -}}
  {{- end -}}
{{- end -}}
{{- toJson $wanted -}}
{{- end }}
