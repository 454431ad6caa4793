// The schedule of a CronJob: when it comes next, and how long it pauses at most. Five fields as
// Kubernetes takes them (robfig/cron's standard parser): numbers, names, ranges, lists, steps, "?",
// "@hourly" to "@yearly", and "@every 1h30m". Times are UTC. Pure.
#pragma once

#include "base/clock.hpp"

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

namespace rb::status {

class Cron {
public:
  /// Errors: invalid_argument.
  [[nodiscard]] static Result<Cron> parse(std::string_view text);

  /// The first time after `time`; nothing where there is none within eight years ("0 0 30 2 *"),
  /// and for "@every …", which counts from a moment that the schedule does not say.
  [[nodiscard]] std::optional<SystemTime> next(SystemTime time) const;

  /// The longest pause between two times within the eight years after `from`; nothing where there
  /// are not two. Of "@every …" its period.
  [[nodiscard]] std::optional<std::chrono::seconds> longest_pause(SystemTime from) const;

private:
  [[nodiscard]] bool on_day(std::chrono::sys_days day) const;
  [[nodiscard]] std::optional<std::chrono::minutes> first_after(std::chrono::minutes time) const;

  std::bitset<60> m_minutes;
  std::bitset<24> m_hours;
  std::bitset<32> m_days;
  std::bitset<13> m_months;
  std::bitset<7> m_weekdays;
  std::optional<std::chrono::seconds> m_period; ///< Of "@every …"; the rest is empty then.
  bool m_any_day = false;                       ///< The field stands for every day: "*", "?".
  bool m_any_weekday = false;                   ///< The same.
};

} // namespace rb::status
