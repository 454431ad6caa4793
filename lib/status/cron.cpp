#include "status/cron.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <string>
#include <vector>

namespace rb::status {

namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::sys_days;

/// Leap days of 29 February come at least every eight years.
constexpr days k_horizon{8 * 366};
constexpr minutes k_day{24 * 60};

constexpr std::array<std::string_view, 12> k_months{
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> k_weekdays{
    "sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view k_every = "@every ";
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> k_descriptors{
    {{"@yearly", "0 0 1 1 *"},
     {"@annually", "0 0 1 1 *"},
     {"@monthly", "0 0 1 * *"},
     {"@weekly", "0 0 * * 0"},
     {"@daily", "0 0 * * *"},
     {"@midnight", "0 0 * * *"},
     {"@hourly", "0 * * * *"}}};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

/// Any white space parts them: a value of YAML may end with a line feed.
std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view k_space = " \t\n\v\f\r";
  std::vector<std::string_view> words;
  for (auto begin = text.find_first_not_of(k_space); begin != std::string_view::npos;
       begin = text.find_first_not_of(k_space)) {
    text.remove_prefix(begin);
    words.push_back(text.substr(0, text.find_first_of(k_space)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

/// The bounds of a field, and the words that may stand for its numbers.
struct Bounds {
  unsigned least = 0;
  unsigned most = 0;
  const std::string_view* names = nullptr; ///< For `least` and up.
  std::size_t name_count = 0;
};

std::optional<unsigned> number_of(std::string_view text, const Bounds& bounds) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char character) {
    return static_cast<char>(std::tolower(character));
  });
  for (std::size_t i = 0; i < bounds.name_count; ++i) {
    if (bounds.names[i] == lower) {
      return bounds.least + static_cast<unsigned>(i);
    }
  }
  const auto number = whole_number<unsigned>(text);
  return number && *number >= bounds.least && *number <= bounds.most ? number : std::nullopt;
}

struct Range {
  unsigned first;
  unsigned last;
  unsigned step;
};

/// "*", "5", "1-5", each with "/2" behind it. "5/2" is from 5 to the end. A step may be longer than
/// the field: "*/24" of the hours is 0.
std::optional<Range> range_of(std::string_view text, const Bounds& bounds) {
  const auto slash = text.find('/');
  const std::string_view span = text.substr(0, slash);
  Range range{bounds.least, bounds.most, 1};
  if (slash != std::string_view::npos) {
    const auto step = number_of(text.substr(slash + 1), {1, std::numeric_limits<unsigned>::max()});
    if (!step) {
      return std::nullopt;
    }
    range.step = std::min(*step, bounds.most + 1);
  }
  if (span == "*" || span == "?") {
    return range;
  }
  const auto dash = span.find('-');
  const auto first = number_of(span.substr(0, dash), bounds);
  if (!first) {
    return std::nullopt;
  }
  range.first = *first;
  if (dash != std::string_view::npos) {
    const auto last = number_of(span.substr(dash + 1), bounds);
    if (!last || *last < *first) {
      return std::nullopt;
    }
    range.last = *last;
  } else if (slash == std::string_view::npos) {
    range.last = *first;
  }
  return range;
}

template <std::size_t Size>
bool fill(std::bitset<Size>& bits, std::string_view field, const Bounds& bounds) {
  for (const std::string_view part : split(field, ',')) {
    const auto range = range_of(part, bounds);
    if (!range) {
      return false;
    }
    for (unsigned number = range->first; number <= range->last; number += range->step) {
      bits.set(number);
    }
  }
  return true;
}

/// Digits and a point, as from_chars took them: no sign, no "inf".
bool is_decimal(std::string_view text) {
  return text.find_first_not_of("0123456789.") == std::string_view::npos;
}

struct Unit {
  std::string_view name;
  double seconds;
};

/// Longer names before those that they begin with.
constexpr std::array<Unit, 8> k_units{{{"ns", 1e-9},
                                       {"us", 1e-6},
                                       {"\u00b5s", 1e-6}, // micro sign
                                       {"\u03bcs", 1e-6}, // Greek mu
                                       {"ms", 1e-3},
                                       {"s", 1},
                                       {"m", 60},
                                       {"h", 3600}}};

/// "1h30m", as Go's time.ParseDuration takes it, in whole seconds and at least one, as robfig/cron
/// rounds it. Nothing for what is negative, or longer than a cron field could pause.
std::optional<std::chrono::seconds> period_of(std::string_view text) {
  constexpr double k_longest = 8.0 * 366 * 24 * 3600;
  text.remove_prefix(text.starts_with('+') ? 1 : 0);
  double total = 0;
  do {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || !is_decimal(text.substr(0, length))) {
      return std::nullopt;
    }
    text.remove_prefix(length);
    const auto* const unit = std::ranges::find_if(
        k_units, [&](const Unit& candidate) { return text.starts_with(candidate.name); });
    if (unit == k_units.end()) {
      return std::nullopt;
    }
    text.remove_prefix(unit->name.size());
    total += number * unit->seconds;
  } while (!text.empty());
  if (total > k_longest) {
    return std::nullopt;
  }
  return std::chrono::seconds(std::max(static_cast<std::int64_t>(total), std::int64_t{1}));
}

/// One of its parts stands for all. "*/2" does not: it names days, says robfig/cron.
bool is_any(std::string_view field) {
  return std::ranges::any_of(split(field, ','), [](std::string_view part) {
    return part == "*" || part == "?" || part == "*/1" || part == "?/1";
  });
}

} // namespace

Result<Cron> Cron::parse(std::string_view text) {
  const Error refusal{ErrorCode::invalid_argument,
                      "'" + std::string(text) + "' is not a schedule",
                      "write it as a CronJob has it: five fields, such as '0 2 * * *'"};
  if (text.starts_with(k_every)) {
    Cron cron;
    cron.m_period = period_of(text.substr(k_every.size()));
    return cron.m_period ? Result<Cron>(cron) : Result<Cron>(refusal);
  }
  for (const auto& [word, meaning] : k_descriptors) {
    text = text == word ? meaning : text;
  }
  const std::vector<std::string_view> fields = words_of(text);
  Cron cron;
  if (fields.size() != 5 || !fill(cron.m_minutes, fields[0], {0, 59}) ||
      !fill(cron.m_hours, fields[1], {0, 23}) || !fill(cron.m_days, fields[2], {1, 31}) ||
      !fill(cron.m_months, fields[3], {1, 12, k_months.data(), k_months.size()}) ||
      !fill(cron.m_weekdays, fields[4], {0, 6, k_weekdays.data(), k_weekdays.size()})) {
    return refusal;
  }
  cron.m_any_day = is_any(fields[2]);
  cron.m_any_weekday = is_any(fields[4]);
  return cron;
}

bool Cron::on_day(sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!m_months.test(static_cast<unsigned>(date.month()))) {
    return false;
  }
  const bool by_day = m_days.test(static_cast<unsigned>(date.day()));
  const bool by_weekday = m_weekdays.test(std::chrono::weekday(day).c_encoding());
  // Two fields that both say something are either, not both (crontab(5)).
  return m_any_day || m_any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<minutes> Cron::first_after(minutes time) const {
  for (minutes next = time + minutes(1); next < k_day; ++next) {
    if (m_hours.test(static_cast<std::size_t>(next.count() / 60)) &&
        m_minutes.test(static_cast<std::size_t>(next.count() % 60))) {
      return next;
    }
  }
  return std::nullopt;
}

std::optional<SystemTime> Cron::next(SystemTime time) const {
  if (m_period) {
    return std::nullopt;
  }
  const auto today = std::chrono::floor<days>(time);
  minutes begin = std::chrono::floor<minutes>(time - today);
  for (sys_days day = today; day < today + k_horizon; day += days(1)) {
    const auto at = on_day(day) ? first_after(begin) : std::nullopt;
    if (at) {
      return SystemTime(day) + *at;
    }
    begin = minutes(-1);
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> Cron::longest_pause(SystemTime from) const {
  if (m_period) {
    return m_period;
  }
  // Every day that counts has the same times: only its first, its last and its longest pause
  // matter.
  std::optional<minutes> first;
  minutes last{0};
  minutes longest{0};
  for (auto at = first_after(minutes(-1)); at; at = first_after(*at)) {
    longest = first ? std::max(longest, *at - last) : longest;
    first = first ? first : at;
    last = *at;
  }
  std::optional<sys_days> previous;
  const auto begin = std::chrono::floor<days>(from);
  for (sys_days day = begin; first && day < begin + k_horizon; day += days(1)) {
    if (!on_day(day)) {
      continue;
    }
    if (previous) {
      longest = std::max(longest, minutes(day - *previous) - last + *first);
    }
    previous = day;
  }
  if (!previous || longest.count() == 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(longest);
}

} // namespace rb::status
