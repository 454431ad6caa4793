#!/bin/sh
# Builds the k3s stand-in once per content of its sources and prints its path.
# The result lies outside the tree, so that a fresh clone finds it again:
#   ${RAILIANCE_CACHE:-~/.cache/railiance-backup}/k3s/<hash>/{k3s,pause.tar}
# `build.sh pause` makes the pause image alone, for a real k3s, and prints the archive's path.
# Safe to call from several processes at once. Cold: 5 to 12 minutes on 2 cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}/k3s
hash=$(cd "$here" && LC_ALL=C ls go.mod go.sum pause/pause.c build.sh *.go kine/go.mod kine/go.sum kine/*.go | grep -v '_test\.go$' |
    xargs sha256sum | sha256sum | cut -c1-16)
out=$cache/$hash

# The pause image, as a docker archive of one static program: pause_image DIRECTORY
pause_image() {
    case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac
    mkdir "$1/image" "$1/root"
    cc -static -Os -s -o "$1/root/pause" "$here/pause/pause.c"
    tar -C "$1/root" --owner=0 --group=0 --mtime=@0 -cf "$1/image/layer.tar" pause
    diff_id=$(sha256sum "$1/image/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/pause"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$arch" "$diff_id" >"$1/image/config.json"
    printf '[{"Config":"config.json","RepoTags":["railiance.test/pause:1"],"Layers":["layer.tar"]}]' >"$1/image/manifest.json"
    tar -C "$1/image" --owner=0 --group=0 --mtime=@0 -cf "$1/pause.tar" manifest.json config.json layer.tar
    rm -rf "$1/image" "$1/root"
}

if [ "${1:-}" = pause ]; then
    out=$cache/pause-$(cat "$here/pause/pause.c" "$here/build.sh" | sha256sum | cut -c1-16)
    if [ ! -e "$out/pause.tar" ]; then
        mkdir -p "$cache"
        tmp=$(mktemp -d "$cache/build.XXXXXX")
        trap 'rm -rf "$tmp"' EXIT INT TERM
        pause_image "$tmp"
        mkdir -p "$out"
        mv "$tmp/pause.tar" "$out/pause.tar"
    fi
    echo "$out/pause.tar"
    exit
fi

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

    # kine, of which k3s without etcd makes SQLite: see kine.go for the form. The same flags, so that what both are
    # made of is compiled once.
    (cd "$here/kine" && GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=1 go build -p "${K3S_BUILD_JOBS:-2}" -trimpath -gcflags=all=-dwarf=false \
        -tags "netgo osusergo sqlite_omit_load_extension" -ldflags "-s -w -linkmode external -extldflags -static" \
        -o "$tmp/kine" .) >&2
    size=$(wc -c <"$tmp/kine")
    {
        cat "$tmp/kine"
        for shift in 0 8 16 24 32 40 48 56; do
            # shellcheck disable=SC2059
            printf "\\$(printf %03o $(((size >> shift) & 255)))"
        done
        printf standin-has-kine
    } >>"$tmp/k3s"
    rm "$tmp/kine"

    pause_image "$tmp"

    chmod 755 "$tmp"
    rm -rf "$out"
    mv "$tmp" "$out"
    trap - EXIT INT TERM
    find "$cache" -xdev -mindepth 1 -maxdepth 1 -type d -mtime +14 ! -path "$out" -exec rm -rf {} +
fi
touch "$out"
echo "$out/k3s"
