#include "cases/cases.hpp"

#include "age/sops_yaml.hpp"

#include <map>

namespace rb::cases {

namespace {

/// What is right of a named input: so many recipients, or a refusal with these words.
struct Expected {
  std::size_t recipients = 0;
  std::string words;
};

const std::map<std::string, Expected, std::less<>>& expectations() {
  static const std::map<std::string, Expected, std::less<>> k_expected{};
  return k_expected;
}

} // namespace

Verdict check_sops(const std::filesystem::path& file) {
  const auto recipients = age::recipients_from_sops_yaml(contents_of(file));
  const auto expected = expectations().find(file.stem().string());
  const bool known = expected != expectations().end();
  if (!recipients) {
    const std::string said = recipients.error().message + "; " + recipients.error().hint;
    return {!known || (expected->second.recipients == 0 &&
                       said.find(expected->second.words) != std::string::npos),
            "refused: " + said};
  }
  return {!known || recipients->size() == expected->second.recipients,
          std::to_string(recipients->size()) + " recipients"};
}

} // namespace rb::cases
