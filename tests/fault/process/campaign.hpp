// An operation of the agent on a host of a test, as a program of its own whose system calls a test
// decides about.
#pragma once

#include "fault/process/invariants.hpp"
#include "fault/process/tally.hpp"
#include "fault/process/tracer.hpp"

#include <functional>
#include <optional>
#include <string>

namespace rb::test {

/// Which of the calls the fault may meet.
using Which = std::function<bool(const Call&)>;

/// A call that met the fault, for messages.
struct Hit {
  std::string call;
  std::string path;
};

struct Attempt {
  std::string run_id;
  Traced traced;
  std::optional<Hit> hit; ///< The first one; absent: there were fewer such calls.
};

/// One operation on `host` as a program of its own.
class Operation {
public:
  Operation(FakeHost& host, std::string name);

  /// The numbered one (from 0) of the calls that `which` chooses meets `action`; with `on` also
  /// all that follow.
  [[nodiscard]] Attempt
  meet(const Which& which, std::size_t number, const Action& action, bool on = false);
  /// How many calls `which` chooses in a run without faults; that run must succeed.
  [[nodiscard]] std::size_t calls(const Which& which);
  [[nodiscard]] const std::string& name() const { return m_name; }

  /// What must be there for the operation to have something to do.
  std::function<void()> before = [] {};
  std::function<void()> limits{}; ///< In the child, before exec.

private:
  FakeHost& m_host;
  std::string m_name;
};

/// What a crashed run leaves: a part, an artifact without manifest, a snapshot in clear.
void plant_leftovers(const FakeHost& host);

/// The calls on files of the backup directory that write.
[[nodiscard]] Which writes_to(const std::string& directory);

} // namespace rb::test
