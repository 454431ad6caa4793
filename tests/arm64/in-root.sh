#!/bin/bash
# in-root.sh TARGETS [part]: compiles them for arm64 with the flags of what is shipped, so that ccache has the objects of
# the bundle; "part": in half the time, with little optimisation, for `make test`. Runs in the build root for arm64.
# Environment: JOBS.
set -euo pipefail
flags=(-DCMAKE_BUILD_TYPE=Release "-DRB_TEST_FLAGS=-O0;-U_FORTIFY_SOURCE")
[ "${2:-}" != part ] || flags=(-DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g0" -DRB_TEST_FLAGS=-O0)
cmake -S /source -B /build -G Ninja -DCMAKE_TOOLCHAIN_FILE=/source/cmake/arm64.cmake "${flags[@]}" \
  -DRB_BUNDLE_HOME=/railiance-backup -DRB_BUILD_TESTS=ON -DRB_WERROR=OFF -DRB_PRECOMPILE=ON \
  -DRB_ARCHIVE_LIBRARY=/usr/lib/aarch64-linux-gnu/libarchive.a
# shellcheck disable=SC2086
cmake --build /build -j "${JOBS:-2}" --target $1
