#!/bin/bash
# documents.sh TARGET: lays out what the hints of the programs name (docs/offsite.md, say), and what is read at night on a
# host without a network. The modes are the same whatever umask the checkout was made with, and whatever it is now.
set -euo pipefail
umask 022
root=$(cd "$(dirname "$0")/.." && pwd)
target=$(realpath -m "$1")
mkdir -p "$target"
cp --no-preserve=mode "$root/README.md" "$root/SECURITY.md" "$target/"
(cd "$root" && find docs -name '*.md' -exec cp --no-preserve=mode --parents -t "$target" {} +)
