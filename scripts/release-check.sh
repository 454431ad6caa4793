#!/usr/bin/env bash
# release-check.sh: makes the release twice, here and from a clone in another directory with caches of its own and
# without ccache, and compares the digests. The build roots are the same. RELEASE_ARCHS as in release.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/railiance-release-check-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
RAILIANCE_DIST=$work/here "$ROOT/scripts/release.sh" --unsigned >/dev/null
say "The same again from a clone in $work/another/place, all of it compiled anew"
project_git clone --quiet "$ROOT" "$work/another/place"
mkdir "$work/cache"
ln -s "$CACHE/root" "$CACHE/bin" "$work/cache/"
CCACHE_DISABLE=1 RAILIANCE_CACHE=$work/cache RAILIANCE_DIST=$work/there "$work/another/place/scripts/release.sh" --unsigned >/dev/null
sed 's/^/   /' "$work/here/SHA256SUMS" >&2
if ! diff "$work/here/SHA256SUMS" "$work/there/SHA256SUMS" >&2; then
  die "the two builds differ"
fi
echo "$(wc -l <"$work/here/SHA256SUMS") files, built twice: the same digests"
