// Waiting as a port, so that tests do not wait.
#pragma once

#include <chrono>
#include <thread>

namespace rb {

class Sleeper {
public:
  Sleeper() = default;
  virtual ~Sleeper() = default;
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  Sleeper(Sleeper&&) = delete;
  Sleeper& operator=(Sleeper&&) = delete;

  virtual void sleep(std::chrono::milliseconds time) = 0;
};

class RealSleeper final : public Sleeper {
public:
  void sleep(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
};

} // namespace rb
