#include "kube/runtime.hpp"

#include <doctest/doctest.h>

#include <thread>

using rb::kube::VersionGuard;

namespace {

/// An answer of `path` to a call that is sent now.
void answer(VersionGuard& guard, const std::string& path, const std::string& version) {
  guard.answered(path, version, guard.known(path));
}

} // namespace

TEST_CASE("a smaller version of the same path ends the history; equal and larger ones don't") {
  VersionGuard guard;
  const std::stop_token history = guard.same_history();
  answer(guard, "/a", "10");
  answer(guard, "/a", "10");
  answer(guard, "/a", "11");
  answer(guard, "/b", "3"); // an object that nobody has changed for long
  CHECK_FALSE(history.stop_requested());
  answer(guard, "/a", "10");
  CHECK(history.stop_requested());
}

TEST_CASE("what comes after belongs to a history of its own, from whatever version on") {
  VersionGuard guard;
  answer(guard, "/a", "10");
  answer(guard, "/b", "12");
  answer(guard, "/a", "5");
  const std::stop_token history = guard.same_history();
  answer(guard, "/b", "6");
  answer(guard, "/a", "7");
  CHECK_FALSE(history.stop_requested());
  answer(guard, "/b", "5");
  CHECK(history.stop_requested());
}

TEST_CASE("an answer that another one has overtaken proves nothing") {
  VersionGuard guard;
  const std::stop_token history = guard.same_history();
  answer(guard, "/a", "10");
  const std::string before = guard.known("/a");
  answer(guard, "/a", "15");
  guard.answered("/a", "12", before); // sent before the 15 was heard of
  CHECK_FALSE(history.stop_requested());
  CHECK(guard.known("/a") == "15");
}

TEST_CASE("versions that are no numbers are remembered and not compared") {
  VersionGuard guard;
  const std::stop_token history = guard.same_history();
  for (const char* version : {"10", "x", "9", "", "8a"}) {
    answer(guard, "/a", version);
  }
  CHECK_FALSE(history.stop_requested());
}

TEST_CASE("memory is bounded, and the first paths stay watched over") {
  VersionGuard guard;
  answer(guard, "/lease", "10");
  for (int i = 0; i < 5000; ++i) {
    answer(guard, "/x/" + std::to_string(i), "5");
  }
  CHECK(guard.known("/x/4999").empty());
  const std::stop_token history = guard.same_history();
  answer(guard, "/lease", "9");
  CHECK(history.stop_requested());
}

TEST_CASE("whoever waits for the end of the history may ask and be told again") {
  VersionGuard guard;
  bool told = false;
  const std::stop_callback callback(guard.same_history(), [&] {
    told = true;
    CHECK(guard.known("/a").empty());
    CHECK_FALSE(guard.same_history().stop_requested());
  });
  std::jthread([&] { guard.went_back(); }).join();
  CHECK(told);
}
