#include "base/clock.hpp"

#include <array>
#include <condition_variable>
#include <cstdio>
#include <mutex>

namespace rb {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

Fields fields_of(SystemTime time) {
  const auto midnight = std::chrono::floor<days>(time);
  const year_month_day date(midnight);
  const auto of_day = static_cast<unsigned>((time - midnight).count());
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          of_day / 3600,
          of_day / 60 % 60,
          of_day % 60};
}

std::string print(const char* format, const Fields& f) {
  std::array<char, 48> text{};
  // The format is one of the two literals below; both fit.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  static_cast<void>(std::snprintf(
      text.data(), text.size(), format, f.year, f.month, f.day, f.hour, f.minute, f.second));
#pragma GCC diagnostic pop
  return text.data();
}

/// Takes `width` digits from the front of `text`, or fails.
bool take_digits(std::string_view& text, std::size_t width, unsigned& value) {
  if (text.size() < width) {
    return false;
  }
  value = 0;
  for (const char digit : text.substr(0, width)) {
    if (digit < '0' || digit > '9') {
      return false;
    }
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  text.remove_prefix(width);
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

Result<SystemTime> assemble(const Fields& f, std::string_view text) {
  const year_month_day date{
      std::chrono::year(f.year), std::chrono::month(f.month), std::chrono::day(f.day)};
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 59) {
    return Error{ErrorCode::corrupt, "not a time: " + std::string(text), {}};
  }
  return SystemTime(sys_days(date) + hours(f.hour) + minutes(f.minute) + seconds(f.second));
}

bool take_date(std::string_view& rest, Fields& f, bool with_separators) {
  unsigned year = 0;
  const bool ok = take_digits(rest, 4, year) && (!with_separators || take(rest, '-')) &&
                  take_digits(rest, 2, f.month) && (!with_separators || take(rest, '-')) &&
                  take_digits(rest, 2, f.day) && take(rest, 'T') && take_digits(rest, 2, f.hour) &&
                  (!with_separators || take(rest, ':')) && take_digits(rest, 2, f.minute) &&
                  (!with_separators || take(rest, ':')) && take_digits(rest, 2, f.second);
  f.year = static_cast<int>(year);
  return ok;
}

bool take_offset(std::string_view& rest, seconds& offset) {
  if (take(rest, 'Z') || take(rest, 'z')) {
    return true;
  }
  const bool negative = !rest.empty() && rest.front() == '-';
  unsigned hour = 0;
  unsigned minute = 0;
  if (!(take(rest, '-') || take(rest, '+')) || !take_digits(rest, 2, hour) || !take(rest, ':') ||
      !take_digits(rest, 2, minute) || hour > 23 || minute > 59) {
    return false;
  }
  offset = hours(hour) + minutes(minute);
  offset = negative ? -offset : offset;
  return true;
}

} // namespace

SystemTime RealClock::now() const {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point RealClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

bool RealWaiter::wait(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

std::string format_rfc3339(SystemTime time) {
  return print("%04d-%02u-%02uT%02u:%02u:%02uZ", fields_of(time));
}

std::string format_run_id(SystemTime time) {
  return print("%04d%02u%02uT%02u%02u%02uZ", fields_of(time));
}

Result<SystemTime> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  Fields f;
  seconds offset{0};
  bool ok = take_date(rest, f, true);
  if (ok && take(rest, '.')) {
    const std::size_t end = rest.find_first_not_of("0123456789");
    ok = end != 0 && end != std::string_view::npos;
    rest.remove_prefix(ok ? end : 0);
  }
  if (!ok || !take_offset(rest, offset) || !rest.empty()) {
    return Error{ErrorCode::corrupt, "not an RFC 3339 time: " + std::string(text), {}};
  }
  RB_TRY_ASSIGN(const SystemTime local, assemble(f, text));
  return local - offset;
}

Result<SystemTime> parse_run_id(std::string_view text) {
  std::string_view rest = text;
  Fields f;
  if (!take_date(rest, f, false) || rest != "Z") {
    return Error{ErrorCode::corrupt, "not of the form YYYYMMDDTHHMMSSZ: " + std::string(text), {}};
  }
  return assemble(f, text);
}

} // namespace rb
