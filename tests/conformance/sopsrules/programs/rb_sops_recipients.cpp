// Reads lines of JSON {"text":…, "path":…} and answers each with {"recipients":[…]} or {"error":…}:
// what our reader makes of a .sops.yaml.
#include "age/sops_yaml.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto question = nlohmann::json::parse(line);
    const auto recipients = rb::age::recipients_from_sops_yaml(
        question.at("text").get<std::string>(), question.at("path").get<std::string>());
    nlohmann::json answer;
    if (recipients) {
      for (const rb::age::Recipient& recipient : *recipients) {
        answer["recipients"].push_back(recipient.text());
      }
    } else {
      answer["error"] = recipients.error().message;
    }
    std::cout << answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n'
              << std::flush;
  }
}
