// What a campaign of faults tried and what it found, and which cases it takes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace rb::test {

/// What is wrong, one line each; none when all is well.
class Findings : public std::vector<std::string> {
public:
  using std::vector<std::string>::vector;
  friend Findings operator+(Findings left, const Findings& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
  }
};

class Tally {
public:
  explicit Tally(std::string what) : m_what(std::move(what)) {}
  void tried(const std::string& scenario, const Findings& findings);
  /// Prints "FAULTS WHAT: tried N, failures found M" and the first findings; true when there are
  /// none.
  [[nodiscard]] bool report() const;
  [[nodiscard]] std::size_t cases() const { return m_cases; }
  /// A word that is counted besides: "killed", "failed clean".
  void count(const std::string& word) { ++m_words[word]; }
  [[nodiscard]] std::size_t counted(const std::string& word) const;

private:
  std::string m_what;
  std::size_t m_cases = 0;
  std::vector<std::string> m_findings;
  std::map<std::string, std::size_t> m_words;
};

/// RB_FAULT=long: every case; else a part of them that is drawn by RB_SEED.
[[nodiscard]] bool long_campaign();

/// Numbers below `count`: all of them in a long campaign, else `few` of them with both ends, drawn
/// by a seed that is printed once.
[[nodiscard]] std::set<std::size_t> numbers(std::size_t count, std::size_t few);

/// Below `limit`, from the same seed.
[[nodiscard]] std::size_t drawn(std::size_t limit);

} // namespace rb::test
