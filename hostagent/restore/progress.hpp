// Tells on standard error how far long work is: on a terminal in one line that is drawn anew,
// elsewhere in a plain line now and then. Short work is silent.
#pragma once

#include "restore/io.hpp"
#include "set/set_check.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace rb::restore {

/// Used by one thread at a time; Io outlives it.
class Progress {
public:
  /// Work of fewer bytes is silent.
  static constexpr std::uint64_t k_least_bytes = std::uint64_t{256} << 20U;
  static constexpr std::chrono::milliseconds k_plain_interval{10'000};
  static constexpr std::chrono::milliseconds k_terminal_interval{200};

  explicit Progress(const Io& io) : m_io(io) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;

  /// "<step> 512.0 MiB of 1.0 GiB (50 %)", when it is time for it. `total` 0: unknown; then what
  /// is done counts.
  void show(const std::string& step, std::uint64_t done, std::uint64_t total);

  /// Takes the line off a terminal, before something else is printed.
  void clear();

private:
  const Io& m_io;
  std::string m_step;
  std::optional<std::chrono::steady_clock::time_point> m_last;
  bool m_drawn = false;
};

/// Bytes go to `progress`, which outlives the hooks.
[[nodiscard]] set::CheckHooks hooks_for(Progress& progress, const Io& io);

} // namespace rb::restore
