#include "kube/exchange.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace rb::kube;
using namespace std::chrono_literals;

namespace {

bool becomes(const std::atomic<int>& value, int wanted) {
  for (int i = 0; i < 2000 && value != wanted; ++i) {
    std::this_thread::sleep_for(1ms);
  }
  return value == wanted;
}

} // namespace

TEST_CASE("an alarm goes off once, when its time has come, whatever the others do") {
  DeadlineTimer timer;
  std::atomic<int> fired{0};
  const auto began = std::chrono::steady_clock::now();
  const DeadlineTimer::Alarm late(timer, 1h, [&] { fired += 100; });
  const DeadlineTimer::Alarm soon(timer, 30ms, [&] { fired += 1; });
  CHECK(becomes(fired, 1));
  CHECK(std::chrono::steady_clock::now() - began >= 30ms);
  std::this_thread::sleep_for(20ms);
  CHECK(fired == 1);
}

TEST_CASE("an alarm that is gone does not go off") {
  DeadlineTimer timer;
  std::atomic<int> fired{0};
  {
    const DeadlineTimer::Alarm alarm(timer, 10ms, [&] { ++fired; });
  }
  std::this_thread::sleep_for(30ms);
  CHECK(fired == 0);
}

TEST_CASE("an alarm can be put off and brought forward") {
  DeadlineTimer timer;
  std::atomic<int> fired{0};
  DeadlineTimer::Alarm alarm(timer, 50ms, [&] { ++fired; });
  for (int i = 0; i < 10; ++i) {
    alarm.restart(500ms);
    std::this_thread::sleep_for(10ms);
  }
  CHECK(fired == 0);
  alarm.restart(1ms);
  CHECK(becomes(fired, 1));
  alarm.restart(1ms); // it has gone off: nothing
  std::this_thread::sleep_for(20ms);
  CHECK(fired == 1);
}

TEST_CASE("many alarms come and go from many threads") {
  DeadlineTimer timer;
  std::atomic<int> fired{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 200; ++k) {
          DeadlineTimer::Alarm alarm(timer, k % 3 == 0 ? 0ms : 1h, [&] { ++fired; });
          alarm.restart(k % 5 == 0 ? 0ms : 1h);
        }
      });
    }
  }
  CHECK(fired <= 800);
}
