#!/bin/sh
# Builds the k3s stand-in once per content of its sources and prints its path.
# The result lies outside the tree, so that a fresh clone finds it again:
#   ${RAILIANCE_CACHE:-~/.cache/railiance-backup}/k3s/<hash>/{k3s,pause.tar}
# Safe to call from several processes at once. Cold: 5 to 12 minutes on 2 cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}/k3s
hash=$(cd "$here" && LC_ALL=C ls go.mod go.sum pause/pause.c build.sh *.go | grep -v '_test\.go$' |
    xargs sha256sum | sha256sum | cut -c1-16)
out=$cache/$hash

if [ ! -x "$out/k3s" ]; then
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
fi
if [ ! -x "$out/k3s" ]; then
    tmp=$(mktemp -d "$cache/build.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT INT TERM
    echo "building the k3s stand-in (5 to 12 minutes when Go's cache is cold)" >&2
    # Static, so that it runs in any image, as k3s does. Debug information, which -s -w would throw
    # away at the end, is not made at all.
    (cd "$here" && GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0 go build -p "${K3S_BUILD_JOBS:-2}" -trimpath -gcflags=all=-dwarf=false \
        -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4+standin -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34" \
        -o "$tmp/k3s" .) >&2

    # The pause image, as a docker archive of one static program.
    case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac
    mkdir "$tmp/image" "$tmp/root"
    cc -static -Os -s -o "$tmp/root/pause" "$here/pause/pause.c"
    tar -C "$tmp/root" --owner=0 --group=0 --mtime=@0 -cf "$tmp/image/layer.tar" pause
    diff_id=$(sha256sum "$tmp/image/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/pause"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$arch" "$diff_id" >"$tmp/image/config.json"
    printf '[{"Config":"config.json","RepoTags":["railiance.test/pause:1"],"Layers":["layer.tar"]}]' >"$tmp/image/manifest.json"
    tar -C "$tmp/image" --owner=0 --group=0 --mtime=@0 -cf "$tmp/pause.tar" manifest.json config.json layer.tar
    rm -rf "$tmp/image" "$tmp/root"

    chmod 755 "$tmp"
    rm -rf "$out"
    mv "$tmp" "$out"
    trap - EXIT INT TERM
    find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +14 ! -path "$out" -exec rm -rf {} +
fi
touch "$out"
echo "$out/k3s"
