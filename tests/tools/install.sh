#!/bin/sh
# Installs the pinned tools that tests and benchmarks compare with, into
#   ${RAILIANCE_CACHE:-~/.cache/railiance-backup}/bin
# skipping those that are there. Prints that directory; with `install.sh
# age-testkit` the directory of the C2SP age test vectors instead.
# usage: install.sh [helm|age|etcdutl|age-testkit]...   (default: the three programs)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}
bin=$cache/bin
# As the releases of helm and age are built; and with the stand-in's flags, so that what both are made
# of is compiled once.
GOFLAGS="$(go env GOFLAGS) -trimpath -gcflags=all=-dwarf=false"
export GOBIN="$bin" GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" GOFLAGS CGO_ENABLED=0
mkdir -p "$bin"
exec 9>"$cache/tools.lock"
flock 9

# install NAME MODULE VERSION PACKAGE...: NAME stands for the whole set.
install() {
    name=$1 version=$2
    shift 2
    if [ "$(cat "$bin/.$name.version" 2>/dev/null)" != "$version" ]; then
        for package; do
            echo "installing $package@$version" >&2
            go install -ldflags='-s -w' "$package@$version" >&2
        done
        echo "$version" >"$bin/.$name.version"
    fi
}

# helm prints the version that its release build puts in.
install_helm() {
    [ "$(cat "$bin/.helm.version" 2>/dev/null)" != v3.22.0 ] || return 0
    echo "installing helm v3.22.0 (4 minutes when Go's cache is cold)" >&2
    go install -ldflags='-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0' helm.sh/helm/v3/cmd/helm@v3.22.0 >&2
    echo v3.22.0 >"$bin/.helm.version"
}

# etcdutl's module can't be installed by version (it has replacements), so it is
# a tool of the stand-in's module, whose etcd is the same.
install_etcdutl() {
    [ "$(cat "$bin/.etcdutl.version" 2>/dev/null)" != v3.6.4 ] || return 0
    echo "installing etcdutl v3.6.4" >&2
    (cd "$here/../k3s" && go build -ldflags='-s -w' -o "$bin/etcdutl" go.etcd.io/etcd/etcdutl/v3) >&2
    echo v3.6.4 >"$bin/.etcdutl.version"
}

testkit() {
    go mod download -json c2sp.org/CCTV/age@v0.0.0-20260829155415-4448f2097b2d |
        sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p'
}

[ $# -gt 0 ] || set -- age etcdutl helm
for tool; do
    case $tool in
        age)
            install age v1.3.2 filippo.io/age/cmd/age filippo.io/age/cmd/age-keygen
            # Its own stand-in for a hardware token.
            install age-tagtest v1.3.2 filippo.io/age/tag/internal/age-plugin-tagtest
            ;;
        etcdutl) install_etcdutl ;;
        helm) install_helm ;;
        age-testkit)
            testkit
            exit
            ;;
        *)
            echo "install.sh: unknown tool: $tool" >&2
            exit 2
            ;;
    esac
done
echo "$bin"
