#!/bin/bash
# scripts/install.sh and uninstall.sh, with a host below a directory: what they find of k3s there, and what they say.
. "$(dirname "$0")/lib.sh"

# stand_in FILE: a program that writes down how it was called, and is content.
stand_in() {
  mkdir -p "$(dirname "$1")"
  printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$1" "$work/calls" >"$1"
  chmod 755 "$1"
}

export RAILIANCE_CACHE=$work/cache PREFIX=$work/prefix K3S_ROOT=$work/host KUBECONFIG=$work/kubeconfig
export IMAGE_TAR=$work/image.tar BUNDLE_TAR=$work/bundle.tar.gz
unset HELM_ARGS
mkdir -p "$PREFIX" "$K3S_ROOT"
touch "$KUBECONFIG" "$IMAGE_TAR" "$work/.sops.yaml"
stand_in "$RAILIANCE_CACHE/bin/helm"
stand_in "$work/bundle/bin/railiance-backup"
stand_in "$work/bundle/bin/railiance-restore"
tar -czf "$BUNDLE_TAR" -C "$work" bundle

# run SCRIPT ARGS...: its exit code in $code, its words and calls in files.
run() {
  : >"$work/calls"
  code=0
  "$root/scripts/$1" "${@:2}" >"$work/said" 2>&1 || code=$?
}
# imports PROGRAM: the installation imports the image with this one.
imports() {
  run install.sh "$work/.sops.yaml"
  [ "$code" = 0 ] || fail "install ended with $code"
  grep -qxF -- "$1 ctr --namespace k8s.io images import $IMAGE_TAR" "$work/calls" || fail "the image is not imported by $1"
}

run install.sh "$work/.sops.yaml"
[ "$code" = 0 ] || fail "install without k3s ended with $code"
grep -qF 'No k3s on this host: the image is not imported' "$work/said" || fail "that no k3s is found is not said"
grep -qF "$RAILIANCE_CACHE/bin/helm upgrade --install railiance-backup" "$work/calls" || fail "the chart is not installed"

# Again, it keeps what was set since; where the installation cannot be asked nothing is installed over it.
cat >"$RAILIANCE_CACHE/bin/helm" <<'END'
#!/bin/sh
echo "helm $*" >>"$work/calls"
case $1 in
  get) echo "agent: {backupDir: /mnt/usb}" && [ -z "${HELM_SAYS:-}" ] || { echo "Error: $HELM_SAYS" >&2; exit 1; } ;;
  upgrade) while [ "$1" != --values ]; do shift; done; cat "$2" >"$work/values" ;;
esac
END
export work
run install.sh "$work/.sops.yaml"
[ "$code" = 0 ] || fail "install over an installation ended with $code"
[ "$(cat "$work/values")" = "agent: {backupDir: /mnt/usb}" ] || fail "the values of the installation are lost"
HELM_SAYS='release: not found' run install.sh "$work/.sops.yaml"
[ "$code" = 0 ] || fail "the first installation ended with $code"
[ ! -s "$work/values" ] || fail "the first installation has values"
HELM_SAYS='Kubernetes cluster unreachable: EOF' run install.sh "$work/.sops.yaml"
[ "$code" = 1 ] || fail "install over what cannot be asked ended with $code"
grep -qF 'cluster unreachable' "$work/said" || fail "why it cannot be asked is not said"
! grep -qF 'helm upgrade' "$work/calls" || fail "something was installed over it"
stand_in "$RAILIANCE_CACHE/bin/helm"

# Whatever root's umask is, everybody may run them; where SELinux is, they get the label of programs; HOME is not needed.
stand_in "$RAILIANCE_CACHE/bin/restorecon"
(umask 077 && unset HOME && run install.sh "$work/.sops.yaml" && [ "$code" = 0 ]) || fail "install without HOME"
for path in lib lib/railiance-backup lib/railiance-backup/bin; do
  [ "$(stat -c %a "$PREFIX/$path")" = 755 ] || fail "$path has the mode $(stat -c %a "$PREFIX/$path")"
done
grep -qF "restorecon -R $PREFIX/lib/railiance-backup " "$work/calls" || fail "no label is set"
kubeconfig=$KUBECONFIG
unset KUBECONFIG
(unset HOME && run install.sh "$work/.sops.yaml" && ! grep -F 'unbound variable' "$work/said") || fail "the search for a kubeconfig needs HOME"
export KUBECONFIG=$kubeconfig

# Where sudo does not look (RHEL, Rocky, Fedora), the whole path is said; where it does (Debian), nothing.
mkdir -p "$K3S_ROOT/etc"
for looks in '/sbin:/bin:/usr/sbin:/usr/bin' "\"/usr/sbin:$PREFIX/bin:/usr/bin\""; do
  printf '# secure_path = x\nDefaults    secure_path = %s\n' "$looks" >"$K3S_ROOT/etc/sudoers"
  run install.sh "$work/.sops.yaml"
  case $looks in
    *"$PREFIX"*) ! grep -qF 'sudo does not look there' "$work/said" || fail "sudo is said to look elsewhere than it does" ;;
    *) grep -qF "say sudo $PREFIX/bin/railiance-restore" "$work/said" || fail "where sudo does not look is not said" ;;
  esac
done
rm "$K3S_ROOT/etc/sudoers"

# Where /usr/local cannot be written to by root, sudo is no help.
PREFIX=$work/none run install.sh "$work/.sops.yaml"
[ "$code" = 1 ] || fail "install without a place ended with $code"
[ "$(id -u)" != 0 ] || { grep -qF 'PREFIX=/opt' "$work/said" && ! grep -qF 'use sudo' "$work/said"; } || fail "another place is not named"

# Where the installer of k3s puts it, and where only its unit has it.
stand_in "$K3S_ROOT/opt/bin/k3s"
imports "$K3S_ROOT/opt/bin/k3s"
rm "$K3S_ROOT/opt/bin/k3s"
stand_in "$K3S_ROOT/srv/programs/k3s"
mkdir -p "$K3S_ROOT/etc/systemd/system"
printf '[Service]\nExecStart=/srv/programs/k3s \\\n    server \\\n\t%s \\\n\t%s \\\n' "'--data-dir'" "'/srv/data'" \
  >"$K3S_ROOT/etc/systemd/system/k3s.service"
# shellcheck disable=SC2016
sed -i 's|^echo "|echo "K3S_DATA_DIR=$K3S_DATA_DIR ran" >>"'"$work/calls"'"\n&|' "$K3S_ROOT/srv/programs/k3s"
imports "$K3S_ROOT/srv/programs/k3s"
grep -qxF "K3S_DATA_DIR=/srv/data ran" "$work/calls" || fail "k3s is not told the data directory of its unit"
stand_in "$K3S_ROOT/usr/local/bin/k3s"
imports "$K3S_ROOT/usr/local/bin/k3s"

# What `railiance-backup install` laid down is applied again by k3s: its command must not go first.
mkdir -p "$K3S_ROOT/etc/rancher/k3s"
printf '# mine\ndata-dir: "/srv/other/"\n' >"$K3S_ROOT/etc/rancher/k3s/config.yaml"
for data in /var/lib/rancher/k3s /srv/data /srv/other; do
  manifest=$K3S_ROOT$data/server/manifests/railiance-backup.yaml
  mkdir -p "$(dirname "$manifest")"
  touch "$manifest"
  run uninstall.sh
  [ "$code" = 1 ] || fail "uninstall beside $manifest ended with $code"
  grep -qF "$manifest" "$work/said" || fail "$manifest is not named"
  grep -qF 'sudo railiance-backup uninstall' "$work/said" || fail "the command that takes it back is not said"
  [ -e "$PREFIX/bin/railiance-backup" ] || fail "the command that takes it back is gone"
  [ ! -s "$work/calls" ] || fail "something was done"
  rm "$manifest"
done

# A timer whose program goes would fail every night; one that runs another program stays.
units=$K3S_ROOT/etc/systemd/system
echo "ExecStart=$PREFIX/bin/railiance-restore verify --all" >"$units/railiance-verify.service"
touch "$units/railiance-verify.timer"
run uninstall.sh
[ "$code" = 0 ] || fail "uninstall ended with $code"
[ -z "$(find "$units" -name 'railiance-verify.*')" ] || fail "the timer is left"
grep -qF "helm uninstall railiance-backup" "$work/calls" || fail "the chart is not taken out"
[ -z "$(find "$PREFIX" -name '*railiance*')" ] || fail "programs are left"

# What stays is where this host keeps it, not where it usually is.
grep -qF 'backup sets stay where they are: /opt/backup/railiance/cluster' "$work/said" || fail "where the sets are is not said"
mkdir -p "$K3S_ROOT/var/lib/railiance-backup"
echo /mnt/usb/railiance >"$K3S_ROOT/var/lib/railiance-backup/backup-directory"

echo "ExecStart=/usr/bin/railiance-restore verify --all" >"$units/railiance-verify.service"
run uninstall.sh
grep -qF 'backup sets stay where they are: /mnt/usb/railiance' "$work/said" || fail "another directory than that of the sets is said"
[ -e "$units/railiance-verify.service" ] || fail "the timer of another program is gone"

# The chart is taken out of the cluster that it was put into: both look for a kubeconfig in the same order.
kubeconfig=$KUBECONFIG
unset KUBECONFIG
mkdir -p "$work/home/.kube" "$K3S_ROOT/etc/rancher/k3s"
touch "$work/home/.kube/config-hosteurope" "$work/home/.kube/config" "$K3S_ROOT/etc/rancher/k3s/k3s.yaml"
# shellcheck disable=SC2016
sed -i 's|^echo "|echo "helm at $KUBECONFIG" >>"'"$work/calls"'"\n&|' "$RAILIANCE_CACHE/bin/helm"
for file in "$work/home/.kube/config-hosteurope" "$K3S_ROOT/etc/rancher/k3s/k3s.yaml" "$work/home/.kube/config"; do
  for script in install.sh uninstall.sh; do
    HOME=$work/home run "$script" "$work/.sops.yaml"
    grep -qxF "helm at $file" "$work/calls" || fail "$script does not look at $file"
  done
  rm "$file"
done
# Several files, as kubectl takes them, are none that is missing; without any the programs are there, and it is said.
KUBECONFIG=$work/none:$kubeconfig run install.sh "$work/.sops.yaml"
[ "$code" = 0 ] || fail "install with two kubeconfigs ended with $code"
KUBECONFIG=$work/none run install.sh "$work/.sops.yaml"
[ "$code" = 1 ] || fail "install without a kubeconfig ended with $code"
grep -qF "(KUBECONFIG=$work/none)" "$work/said" || fail "which kubeconfig is not there is not said"
export KUBECONFIG=$kubeconfig

[ "$failures" = 0 ] || exit 1
echo "install and uninstall hold"
