#!/bin/bash
# The tests of copies off-site, inside a bed that is there already. Exit code 77: there is none.
set -euo pipefail
if [ -z "${RB_TEST_KUBECONFIG:-}" ]; then
  echo "RB_TEST_KUBECONFIG is not set"
  exit 77
fi
exec python3 -m pytest -p no:cacheprovider -q "$(dirname "$0")" "$@"
