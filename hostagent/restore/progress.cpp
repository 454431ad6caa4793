#include "restore/progress.hpp"

#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <unistd.h>

#include <algorithm>

namespace rb::restore {

void Progress::show(const std::string& step, std::uint64_t done, std::uint64_t total) {
  if (std::max(done, total) < k_least_bytes) {
    return;
  }
  const auto now = m_io.clock.steady_now();
  const auto interval = m_io.err_is_terminal ? k_terminal_interval : k_plain_interval;
  if (step != m_step) {
    m_step = step;
    m_last = now; // what ends within the first interval says nothing
    return;
  }
  if (m_last && now - *m_last < interval) {
    return;
  }
  m_last = now;
  std::string line = terminal_text(step) + " " + format_size(done);
  if (total != 0) {
    const auto percent =
        static_cast<int>(static_cast<double>(done) * 100 / static_cast<double>(total));
    line += " of " + format_size(total) + " (" + std::to_string(std::min(percent, 100)) + " %)";
  }
  if (m_io.err_is_terminal) {
    line.resize(std::min<std::size_t>(line.size(), columns_of(STDERR_FILENO) - 1U));
    m_io.err << '\r' << line << "\x1b[K" << std::flush; // EL: to the end of the line
    m_drawn = true;
  } else {
    m_io.err << line << '\n' << std::flush;
  }
}

void Progress::clear() {
  if (m_drawn) {
    m_io.err << "\r\x1b[K" << std::flush;
    m_drawn = false;
  }
}

set::CheckHooks hooks_for(Progress& progress, const Io& io) {
  set::CheckHooks hooks;
  hooks.stop = io.stop;
  hooks.on_bytes = [&progress](const std::string& step, std::uint64_t done, std::uint64_t total) {
    progress.show(step, done, total);
  };
  return hooks;
}

} // namespace rb::restore
