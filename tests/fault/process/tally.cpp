#include "fault/process/tally.hpp"

#include "support/random.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace rb::test {

namespace {

constexpr std::size_t k_shown = 12;

} // namespace

void Tally::tried(const std::string& scenario, const Findings& findings) {
  ++m_cases;
  for (const std::string& finding : findings) {
    m_findings.push_back(scenario + ": " + finding);
  }
}

std::size_t Tally::counted(const std::string& word) const {
  const auto found = m_words.find(word);
  return found == m_words.end() ? 0 : found->second;
}

bool Tally::report() const {
  std::string words;
  for (const auto& [word, count] : m_words) {
    words += "; " + std::to_string(count) + " " + word;
  }
  std::printf("FAULTS %s: tried %zu, failures found %zu%s\n",
              m_what.c_str(),
              m_cases,
              m_findings.size(),
              words.c_str());
  for (std::size_t i = 0; i < std::min(k_shown, m_findings.size()); ++i) {
    std::printf("  %s\n", m_findings[i].c_str());
  }
  std::fflush(stdout);
  return m_findings.empty();
}

bool long_campaign() {
  const char* const given = std::getenv("RB_FAULT");
  return given != nullptr && std::string_view(given) == "long";
}

std::size_t drawn(std::size_t limit) {
  static Random random = Random::seeded();
  return random.below(limit);
}

std::set<std::size_t> numbers(std::size_t count, std::size_t few) {
  std::set<std::size_t> chosen;
  if (long_campaign() || count <= few) {
    for (std::size_t i = 0; i < count; ++i) {
      chosen.insert(i);
    }
    return chosen;
  }
  chosen = {0, count - 1};
  while (chosen.size() < few) {
    chosen.insert(drawn(count));
  }
  return chosen;
}

} // namespace rb::test
