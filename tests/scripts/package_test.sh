#!/bin/bash
# packaging/prerm and postinst on a host below a directory: which timers go, and what is said of what k3s goes on with and
# of programs that come before the package's. And what is laid out: the pages that the hints of the programs name are in
# the package and in the tarball.
. "$(dirname "$0")/lib.sh"
run_script() { DPKG_ROOT=$work/host "$root/packaging/$1" "${@:2}" >"$work/said" 2>&1 || fail "$* ended with $?"; }
run() { run_script prerm "$@"; }

units=$work/host/etc/systemd/system
mkdir -p "$units/timers.target.wants"
for timer in railiance-verify railiance-drill; do
  ln -s "/usr/lib/systemd/system/$timer.timer" "$units/timers.target.wants/$timer.timer"
done
touch "$units/railiance-drill.timer"

run upgrade 0.2.0
[ -L "$units/timers.target.wants/railiance-verify.timer" ] || fail "an upgrade takes the timer away"
run remove
[ ! -L "$units/timers.target.wants/railiance-verify.timer" ] || fail "the package's timer is left"
[ -L "$units/timers.target.wants/railiance-drill.timer" ] || fail "the operator's own timer is gone"
[ ! -s "$work/said" ] || fail "something is said where nothing was laid down"

mkdir -p "$work/host/etc/rancher/k3s"
printf 'token: x\n"data-dir": "/srv/k3s/"\n' >"$work/host/etc/rancher/k3s/config.yaml"
for data in /var/lib/rancher/k3s /srv/k3s; do
  laid=$data/server/manifests/railiance-backup.yaml
  mkdir -p "$work/host$(dirname "$laid")"
  touch "$work/host$laid"
  run upgrade 0.2.0
  [ ! -s "$work/said" ] || fail "an upgrade speaks of $laid"
  run remove
  grep -qF "$laid" "$work/said" || fail "that k3s goes on by $laid is not said"
  grep -qF 'railiance-backup uninstall' "$work/said" || fail "how that ends is not said"
  rm "$work/host$laid"
done

run_script postinst configure
[ ! -s "$work/said" ] || fail "something is said where no other program is"
laid=$work/host/srv/k3s/server/manifests/railiance-backup.yaml
touch "$laid"
run_script postinst configure
[ ! -s "$work/said" ] || fail "a first installation speaks of a newer one"
run_script postinst configure 0.1.0
grep -qF 'to bring this one in, run: railiance-backup install' "$work/said" || fail "how an upgrade gets into the cluster is not said"
rm "$laid"
mkdir -p "$work/host/usr/local/bin"
touch "$work/host/usr/local/bin/railiance-restore"
run_script postinst configure 0.1.0
grep -qF '/usr/local/bin/railiance-restore comes before' "$work/said" || fail "the program of make install is not named"
run_script postinst abort-upgrade
[ ! -s "$work/said" ] || fail "it is said where nothing was installed"

mkdir -p "$work/bundle/bin"
for name in railiance-backup railiance-restore; do
  printf '#!/bin/sh\nprintf "A program.\\nUsage: %s [OPTIONS]\\n"\n' "$name" >"$work/bundle/bin/$name"
  chmod 755 "$work/bundle/bin/$name"
done
touch "$work/image.tar" "$work/manifests.yaml" "$work/sbom.json"
SOURCE_DATE_EPOCH=0 "$root/packaging/deb.sh" "$work/tree" "$work/bundle" "$work/bundle" "$work/image.tar" "$work/manifests.yaml" \
  "$work/sbom.json" 0.1.0 amd64 nobody >"$work/said" 2>&1 || fail "deb.sh ended with $?"
# A text file that tells of an empty directory beside the one of `install --backup-dir` would fire NeverRan.
! grep -q -- --backup-dir "$work/tree/usr/lib/systemd/system/railiance-metrics.service" ||
  fail "the metrics are of one directory, wherever the backups of this host go"
(
  # shellcheck disable=SC2034 # of the script that is sourced next
  ROOT=$root
  . "$root/scripts/lay-out.sh"
  lay_out "$work/laid" "$work/bundle" "$work/image.tar" "$work/manifests.yaml"
) >"$work/said" 2>&1 || fail "lay_out ended with $?"
pages=$(cd "$root" && grep -rhoE 'docs/[a-zA-Z/-]+\.md' cli controller hostagent lib --include='*.cpp' | sort -u)
[ "$(echo "$pages" | wc -l)" -gt 5 ] || fail "no hint names a page: $pages"
for there in "$work/tree/usr/share/doc/railiance-backup" "$work/laid/share/doc"; do
  for page in README.md docs/restore.md $pages; do
    [ -r "$there/$page" ] || fail "${there#"$work/"} has no $page"
  done
done

# Whoever unpacks the tarball with a umask of 077 lets everybody in all the same.
"$root/bundle/pack.py" tarball "$work/laid" "$work/laid.tar.gz" >"$work/said" 2>&1 || fail "pack.py ended with $?"
mkdir "$work/unpacked"
(umask 077 && tar -xpzf "$work/laid.tar.gz" -C "$work/unpacked")
for path in laid laid/bin laid/bin/railiance-restore; do
  [ "$(stat -c %a "$work/unpacked/$path")" = 755 ] || fail "$path of the tarball has the mode $(stat -c %a "$work/unpacked/$path")"
done
(cd "$work/unpacked" && tar -xzf "$work/laid.tar.gz" --strip-components=1) || fail "the tarball is not to be unpacked in place"

[ "$failures" = 0 ] || exit 1
echo "the package's scripts hold"
