#!/bin/sh
# What operators run today for the Helm part: the peer in the benchmark. Not used by the product.
#   operators_script.sh RECIPIENT OUTPUT
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
helm list -A --max 0 -o json | jq -r '.[] | .namespace + " " + .name' | while read -r namespace name; do
  mkdir -p "$work/values/$namespace"
  helm get values "$name" -n "$namespace" -o yaml > "$work/values/$namespace/$name.yaml"
done
tar -C "$work" -czf - values | age -r "$1" -o "$2"
