# shellcheck shell=bash
# Sourced by the scripts that lay out what `railiance-backup install` needs; common.sh comes first.

# unique_name ARCHIVE: the name that holds the digest of that image. Another build never hides behind it, and an import
# gives an image no name by its digest alone.
unique_name() {
  local digest
  digest=$("$ROOT/bundle/pack.py" digest "$1")
  echo "$IMAGE-${digest:7:12}"
}

# manifests_of NAME: deploy/railiance-backup.yaml, of which all pods run the image of that name.
manifests_of() {
  grep -F "image: \"$IMAGE\"" "$ROOT/deploy/railiance-backup.yaml" >/dev/null ||
    die "deploy/railiance-backup.yaml has not the image $IMAGE"
  sed "s|image: \"$IMAGE\"|image: \"$1\"|" "$ROOT/deploy/railiance-backup.yaml"
}

# lay_out TARGET BUNDLE IMAGE_TAR MANIFESTS: the bundle with image, manifests and documents in its share/, and with the
# names by which kubectl finds the program.
lay_out() {
  local target=$1 name
  cp -a "$2" "$target"
  mkdir -p "$target/share/images"
  install -m 0644 "$3" "$target/share/images/railiance-backup.tar"
  install -m 0644 "$4" "$target/share/railiance-backup.yaml"
  "$ROOT/packaging/documents.sh" "$target/share/doc"
  for name in kubectl-railiance kubectl_complete-railiance; do
    ln -s railiance-backup "$target/bin/$name"
  done
}
