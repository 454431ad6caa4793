#include "cli/progress.hpp"

#include "cli/report.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <array>

namespace rb::cli {

namespace {

using StepName = std::pair<std::string_view, std::string_view>;

/// "cp-1: taking the snapshot, cp-2: done, cp-3: waiting"
std::string words_of_servers(const std::vector<api::ServerCopy>& copies) {
  std::string text;
  for (const api::ServerCopy& copy : copies) {
    text += (text.empty() ? "" : ", ") + copy.node_name + ": " +
            (copy.result == api::CopyState::left_out ? "left out" : words_of_copy(copy));
  }
  return text;
}

/// What the conditions say while there is no agent's progress.
std::string words_of_run(const api::ClusterBackup& backup) {
  const auto* succeeded =
      api::find_condition(backup.status.conditions, api::condition_type::k_succeeded);
  if (succeeded == nullptr || succeeded->reason == api::to_string(api::Reason::pending)) {
    return "waiting for the controller";
  }
  if (succeeded->reason == api::to_string(api::Reason::queued)) {
    return "queued: another run is in progress";
  }
  if (!backup.status.servers.empty()) {
    return words_of_servers(backup.status.servers);
  }
  return succeeded->message.empty() ? "running" : succeeded->message;
}

std::string words_of_condition(std::string_view type) {
  namespace ct = api::condition_type;
  constexpr std::array<StepName, 7> k_words{{
      {ct::k_scheduled, "scheduled"},
      {ct::k_helm_values_collected, "Helm values collected"},
      {ct::k_snapshot_taken, "snapshot taken"},
      {ct::k_proven, "proven by a boot"},
      {ct::k_artifacts_stored, "artifacts stored"},
      {ct::k_verified, "verified"},
      {ct::k_pruned, "old sets removed"},
  }};
  for (const auto& [name, words] : k_words) {
    if (name == type) {
      return std::string(words);
    }
  }
  return std::string(type);
}

} // namespace

std::string words_of_step(const std::string& step) {
  constexpr std::array<StepName, 7> k_steps{{
      {"Preparing", "preparing"},
      {"TakingSnapshot", "taking the snapshot"},
      {"VerifyingSnapshot", "verifying the snapshot"},
      {"EncryptingSnapshot", "encrypting the snapshot"},
      {"ProvingSnapshot", "booting a scratch server from the snapshot"},
      {"StoringArtifacts", "storing the other artifacts"},
      {"Pruning", "removing old sets"},
  }};
  for (const auto& [name, words] : k_steps) {
    if (name == step) {
      return std::string(words);
    }
  }
  return step; // of a newer release
}

std::string bar(std::uint64_t done, std::uint64_t total, unsigned width) {
  const double share =
      total == 0 ? 0.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(share * width);
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

void Rate::add(std::uint64_t bytes_done, TimePoint now) {
  constexpr std::chrono::seconds k_window{5};
  if (!m_samples.empty() && bytes_done < m_samples.back().second) {
    m_samples.clear();
  }
  m_samples.emplace_back(now, bytes_done);
  while (m_samples.size() > 2 && now - m_samples.front().first > k_window) {
    m_samples.pop_front();
  }
}

std::optional<std::uint64_t> Rate::bytes_per_second() const {
  if (m_samples.size() < 2) {
    return std::nullopt;
  }
  const std::chrono::duration<double> span = m_samples.back().first - m_samples.front().first;
  if (span < std::chrono::milliseconds(500)) {
    return std::nullopt;
  }
  const auto bytes = static_cast<double>(m_samples.back().second - m_samples.front().second);
  return static_cast<std::uint64_t>(bytes / span.count());
}

std::string live_line(const api::ClusterBackup& backup,
                      const std::optional<api::Progress>& progress,
                      std::optional<std::uint64_t> bytes_per_second,
                      std::chrono::seconds elapsed,
                      unsigned width) {
  std::string line = format_elapsed(elapsed) + "  ";
  if (!progress || progress->step.empty()) {
    line += words_of_run(backup);
  } else if (progress->bytes_total == 0) {
    line += words_of_step(progress->step);
  } else {
    line += bar(progress->bytes_done, progress->bytes_total, 20) + " " +
            std::to_string(
                std::min<std::uint64_t>(100, progress->bytes_done * 100 / progress->bytes_total)) +
            "% of " + format_size(progress->bytes_total);
    if (bytes_per_second) {
      line += "  " + format_size(*bytes_per_second) + "/s";
    }
    line += "  " + words_of_step(progress->step);
  }
  if (const auto& copies = backup.status.servers; progress && !copies.empty()) {
    line += "  " + api::copies_text(copies) + " servers";
  }
  return terminal_text(line).substr(0, width);
}

std::vector<std::string> Changes::lines(const api::ClusterBackup& now) {
  std::vector<std::string> lines;
  for (const api::ServerCopy& copy : now.status.servers) {
    std::string text = copy.node_name + ": " + words_of_copy(copy);
    if (copy.result != api::CopyState::pending &&
        std::exchange(m_told["server " + copy.node_name], text) != text) {
      lines.push_back(std::move(text));
    }
  }
  for (const api::Condition& condition : now.status.conditions) {
    if (condition.type == api::condition_type::k_copies) {
      continue; // each server is told by itself
    }
    if (condition.type == api::condition_type::k_succeeded) {
      if (condition.status == api::ConditionStatus::unknown && now.status.servers.empty()) {
        const std::string text = words_of_run(now);
        if (std::exchange(m_told[condition.type], text) != text) {
          lines.push_back(text);
        }
      }
      continue; // the end is told by the result
    }
    if (condition.status == api::ConditionStatus::unknown) {
      continue;
    }
    const bool good = condition.status == api::ConditionStatus::true_;
    std::string text = words_of_condition(condition.type);
    if (!good) {
      text += ": no (" + condition.reason + ")";
      text += condition.message.empty() ? "" : ": " + condition.message;
    }
    if (std::exchange(m_told[condition.type], text) != text) {
      lines.push_back(std::move(text));
    }
  }
  return lines;
}

void ProgressView::show(const api::ClusterBackup& backup,
                        const std::optional<api::Progress>& progress) {
  if (!m_io.err_is_terminal) {
    for (const std::string& line : m_changes.lines(backup)) {
      say(line);
    }
    return;
  }
  const TimePoint now = m_io.clock.steady_now();
  if (progress) {
    if (std::exchange(m_step, progress->step) != progress->step) {
      m_rate = Rate{};
    }
    m_rate.add(progress->bytes_done, now);
  }
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - m_start);
  const unsigned width = m_io.terminal_width > 1 ? m_io.terminal_width - 1 : 79;
  m_io.err << "\r\x1b[K" << live_line(backup, progress, m_rate.bytes_per_second(), elapsed, width)
           << std::flush;
}

void ProgressView::say(const std::string& words) {
  const std::string text = terminal_text(words);
  if (m_io.err_is_terminal) {
    m_io.err << "\r\x1b[K" << text << '\n' << std::flush;
  } else {
    m_io.err << format_rfc3339(m_io.clock.now()) << ' ' << text << '\n' << std::flush;
  }
}

void ProgressView::end() {
  if (m_io.err_is_terminal) {
    m_io.err << "\r\x1b[K" << std::flush;
  }
}

} // namespace rb::cli
