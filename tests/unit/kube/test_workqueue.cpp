#include "kube/workqueue.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace rb::kube;
using namespace std::chrono_literals;

TEST_CASE("a key is in the queue once, however often it is added") {
  Workqueue queue;
  queue.add("a");
  queue.add("b");
  queue.add("a");
  CHECK(queue.depth() == 2);
  CHECK(queue.try_take() == "a");
  CHECK(queue.try_take() == "b");
  CHECK_FALSE(queue.try_take().has_value());
}

TEST_CASE("a key that is being worked on comes again after, and once") {
  Workqueue queue;
  queue.add("a");
  REQUIRE(queue.try_take() == "a");
  queue.add("a");
  queue.add("a");
  CHECK_FALSE(queue.try_take().has_value());
  queue.done("a");
  CHECK(queue.try_take() == "a");
  queue.done("a");
  CHECK_FALSE(queue.try_take().has_value());
}

TEST_CASE("a key for later comes then, and the earlier time wins") {
  Workqueue queue;
  const auto began = std::chrono::steady_clock::now();
  queue.add_after("a", 10min);
  queue.add_after("a", 30ms);
  queue.add_after("a", 20min);
  CHECK_FALSE(queue.try_take().has_value());
  CHECK(queue.take({}) == "a");
  CHECK(std::chrono::steady_clock::now() - began >= 30ms);
  queue.done("a");
  CHECK_FALSE(queue.try_take().has_value());
}

TEST_CASE("failures come later and later, and forget starts over") {
  Workqueue queue;
  const auto time_to_take = [&] {
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(queue.take({}) == "a");
    queue.done("a");
    return std::chrono::steady_clock::now() - began;
  };
  queue.add_after_failure("a");
  CHECK(time_to_take() >= 4ms);
  for (int i = 0; i < 5; ++i) {
    queue.add_after_failure("a");
    (void)time_to_take();
  }
  queue.add_after_failure("a"); // the seventh: 320 ms
  CHECK(time_to_take() >= 300ms);
  queue.forget("a");
  queue.add_after_failure("a");
  CHECK(time_to_take() < 300ms);
}

TEST_CASE("a stop ends the wait for a key") {
  Workqueue queue;
  queue.add_after("later", 1h);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  CHECK_FALSE(queue.take(stop.get_token()).has_value());
}

TEST_CASE("several workers never have the same key at once") {
  Workqueue queue;
  std::atomic<int> active{0};
  std::atomic<int> most{0};
  std::atomic<int> taken{0};
  std::stop_source stop;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back([&] {
        while (auto key = queue.take(stop.get_token())) {
          most = std::max(most.load(), ++active);
          std::this_thread::sleep_for(100us);
          --active;
          ++taken;
          queue.done(*key);
        }
      });
    }
    for (int i = 0; i < 200; ++i) {
      queue.add("the key");
      std::this_thread::sleep_for(50us);
    }
    while (queue.depth() > 0) {
      std::this_thread::sleep_for(1ms);
    }
    stop.request_stop();
  }
  CHECK(most == 1);
  CHECK(taken > 1);
}
