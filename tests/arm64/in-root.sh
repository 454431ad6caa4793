#!/bin/bash
# in-root.sh TARGETS: compiles them for arm64 with the flags of what is shipped, so that ccache has the objects of the
# bundle. Runs in the build root for arm64. Environment: JOBS.
set -euo pipefail
cmake -S /source -B /build -G Ninja -DCMAKE_TOOLCHAIN_FILE=/source/cmake/arm64.cmake -DCMAKE_BUILD_TYPE=Release \
  -DRB_BUNDLE_HOME=/railiance-backup -DRB_BUILD_TESTS=ON -DRB_WERROR=OFF -DRB_PRECOMPILE=ON \
  -DRB_ARCHIVE_LIBRARY=/usr/lib/aarch64-linux-gnu/libarchive.a
# shellcheck disable=SC2086
cmake --build /build -j "${JOBS:-2}" --target $1
