// What must hold on a host after any fault: I1 a set that is listed as complete verifies, I2
// earlier sets are bit-identical, I3 the next run succeeds without hand work, I4 no plaintext is
// left, and what was said to be done is there. (I5, a restore target that is never mixed:
// fault/restore.)
#pragma once

#include "fault/fake_host.hpp"
#include "fault/process/tally.hpp"

#include <map>
#include <string>

namespace rb::test {

/// The complete sets: the bytes of every file that their manifests name, by run id and file name.
using Sets = std::map<std::string, std::map<std::string, std::string>>;
[[nodiscard]] Sets complete_sets(const FakeHost& host);

/// I1, and the stamp: where there is one, it can be read and names a complete set.
[[nodiscard]] Findings check_sets(const FakeHost& host);

/// I2: of `before`, what is still listed is bit-identical; a set that is gone was the oldest, and
/// more than `keep` newer ones are complete.
[[nodiscard]] Findings check_history(const Sets& before, const FakeHost& host, std::size_t keep);

/// The same for what changes a set and removes none: the sets of `before` are complete still.
[[nodiscard]] Findings check_still_complete(const Sets& before, const FakeHost& host);

/// I3 and I4: runs once more in this process, an hour later, and looks at what is left after it.
[[nodiscard]] Findings check_next_run(FakeHost& host);

} // namespace rb::test
