#include "base/version.hpp"

#include <doctest/doctest.h>

using namespace rb;

TEST_CASE("--version names the commit where the build was told one") {
  CHECK(version_line("railiance-backup", "1a2b3c4d5e6f") == "railiance-backup " RB_VERSION
                                                            " (commit 1a2b3c4d5e6f)");
  CHECK(version_line("railiance-backup", "1a2b3c4d5e6f-dirty") == "railiance-backup " RB_VERSION
                                                                  " (commit 1a2b3c4d5e6f-dirty)");
}

TEST_CASE("--version is the version alone where there was no git") {
  CHECK(version_line("railiance-restore", "") == "railiance-restore " RB_VERSION);
}
