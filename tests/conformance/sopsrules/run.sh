#!/bin/sh
# run.sh BUILD_DIR: SOPS's own reader of a .sops.yaml beside ours. SOPS's module is taken as it is published;
# only the packages that talk to clouds are exchanged for standins/, whose SDKs take many minutes to compile
# and have no part in reading the file. The copy lies in BUILD_DIR. RB_SEED repeats a draw.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
version=v3.13.3
export GOTOOLCHAIN="${GOTOOLCHAIN:-auto}"
mkdir -p "$build"
if [ "$(cat "$build/sops.version" 2>/dev/null)" != "$version" ]; then
  published=$(cd "$build" && GOFLAGS=-mod=mod go mod download -json "github.com/getsops/sops/v3@$version" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
  rm -rf "$build/sops"
  cp -R "$published" "$build/sops"
  chmod -R u+w "$build/sops"
  echo "$version" >"$build/sops.version"
fi
for package in "$here"/standins/*/; do
  name=$(basename "$package")
  mkdir -p "$build/sops/$name"
  rm -f "$build/sops/$name"/*.go
  cp "$package"*.go "$build/sops/$name/"
done
sed "s|=> ./sops\$|=> $build/sops|" "$here/go.mod" >"$build/go.mod"
cp "$here/go.sum" "$build/go.sum"
cd "$here"
# The flags of the other tools: what they share is compiled once.
exec go test -count=1 -v -modfile="$build/go.mod" -trimpath -gcflags=all=-dwarf=false -ldflags='-s -w' .
