# shellcheck shell=bash
# Sourced by install.sh and uninstall.sh: what there is of k3s on this host, and which cluster is meant.

# Below which directory it is looked for (tests: another one than /).
K3S_ROOT=${K3S_ROOT:-}

# KUBECONFIG is the cluster that is meant: the same search as that of the programs (cli/connect.hpp). Without one it stays
# empty.
find_kubeconfig() {
  local file
  [ -z "${KUBECONFIG:-}" ] || return 0
  for file in "${HOME:-/root}/.kube/config-hosteurope" "$K3S_ROOT/etc/rancher/k3s/k3s.yaml" "${HOME:-/root}/.kube/config"; do
    if [ -r "$file" ]; then
      export KUBECONFIG=$file
      return 0
    fi
  done
}

# One of its files can be read: it may name several, as kubectl and Helm take them.
kubeconfig_is_there() {
  local file IFS=:
  for file in ${KUBECONFIG:-}; do
    [ ! -r "$file" ] || return 0
  done
  return 1
}

# The words of k3s's units and of their environment files, one a line.
k3s_words() {
  cat "$K3S_ROOT"/usr/lib/systemd/system/k3s*.service \
    "$K3S_ROOT"/etc/systemd/system/k3s*.service "$K3S_ROOT"/etc/systemd/system/k3s*.service.env \
    "$K3S_ROOT"/etc/systemd/system/k3s*.service.d/*.conf "$K3S_ROOT"/etc/init.d/k3s* "$K3S_ROOT"/etc/rancher/k3s/k3s.env \
    2>/dev/null | tr -d "'\"\\\\" | tr -s '[:space:]=' '\n' || true
}

# The k3s program: on PATH, where its installer puts it (/opt/bin where /usr/local can't be written to), or where its
# unit has it. Fails where there is none.
find_k3s() {
  local program
  [ -n "$K3S_ROOT" ] || ! command -v k3s || return 0
  for program in /usr/local/bin/k3s /opt/bin/k3s /usr/bin/k3s $(k3s_words | grep -E '^/[^ ]*/k3s$'); do
    if [ -x "$K3S_ROOT$program" ] && [ ! -d "$K3S_ROOT$program" ]; then
      echo "$K3S_ROOT$program"
      return 0
    fi
  done
  return 1
}

# The data directories that k3s's units and environment files name.
unit_data_dirs() {
  k3s_words | awk 'take { print; take = 0 } $0 == "--data-dir" || $0 == "-d" || $0 == "K3S_DATA_DIR" { take = 1 }'
}

# What `railiance-backup install` has laid down for k3s to apply, below each data directory that k3s is told of.
laid_manifests() {
  local directory
  {
    echo /var/lib/rancher/k3s
    unit_data_dirs
    cat "$K3S_ROOT"/etc/rancher/k3s/config.yaml "$K3S_ROOT"/etc/rancher/k3s/config.yaml.d/*.yaml 2>/dev/null | tr -d "'\"" |
      sed -nE 's/^data-dir[[:space:]]*:[[:space:]]*([^[:space:]#]+).*/\1/p' || true
  } | sort -u | while read -r directory; do
    [ ! -e "$K3S_ROOT${directory%/}/server/manifests/railiance-backup.yaml" ] ||
      echo "$K3S_ROOT${directory%/}/server/manifests/railiance-backup.yaml"
  done
}
