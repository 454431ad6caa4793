#include "base/no_core.hpp"
#include "base/process.hpp"

#include <doctest/doctest.h>

using namespace rb;

TEST_CASE("who holds keys leaves no core, and neither does what it starts") {
  leave_no_core();
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/bin/grep";
  spec.arguments = {"-E", "^Max core file size +0 ", "/proc/self/limits"};
  CHECK(runner.run(spec, {}).value().exit_status == 0);
}
