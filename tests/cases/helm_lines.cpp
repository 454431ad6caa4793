#include "cases/helm_lines.hpp"

#include "set/helm_command.hpp"

#include "archive/tar_gz.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <regex>
#include <sstream>

namespace rb::cases {

namespace {

using Json = nlohmann::json;

const std::regex k_command(
    R"re(helm upgrade --install [a-z0-9][-a-z0-9.]* "\$\{REPO:\?\}/[A-Za-z0-9_][A-Za-z0-9._-]*" )re"
    R"re(--namespace ([a-z0-9][-a-z0-9]*) --create-namespace --version v?[0-9][-A-Za-z0-9.+]* )re"
    R"re(-f [-A-Za-z0-9_./@]+)re");

/// Of a comment; a command is held to more.
bool has_controls(const std::string& line) {
  return std::ranges::any_of(line, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string why_wrong(const std::string& line, const Json& release, HelmLines& lines) {
  if (has_controls(line)) {
    return "a control character";
  }
  if (line.starts_with("# ")) {
    ++lines.comments;
    return {};
  }
  ++lines.commands;
  std::smatch found;
  if (!std::regex_match(line, found, k_command)) {
    return "neither a comment nor a command of harmless words";
  }
  const Json recorded = release.value("recordedAs", Json::object());
  const std::string target = recorded.value("namespace", release.at("namespace"));
  if (found[1] != target) {
    return "another namespace than the record's";
  }
  if (release.value("owner", Json::object()).value("kind", "") == "HelmChart") {
    return "a command for what k3s installs";
  }
  return {};
}

} // namespace

HelmLines helm_lines(const helm::Payload& payload) {
  HelmLines lines;
  const auto entries = archive::read_tar_gz(payload.tar_gz.view());
  if (!entries) { // no lines: that it can be read at all is another check's affair
    return lines;
  }
  const auto listed = std::ranges::find(*entries, helm::k_index_name, &archive::Entry::path);
  const auto index = helm::parse_index(listed->content.text());
  if (!index) {
    return lines;
  }
  const Json json = Json::parse(listed->content.text());
  for (std::size_t i = 0; i < index->releases.size(); ++i) {
    std::istringstream text(set::helm_command(index->releases[i], "/to").text());
    for (std::string line; std::getline(text, line);) {
      const std::string why = why_wrong(line, json.at("releases").at(i), lines);
      if (!why.empty() && lines.wrong.empty()) {
        lines.wrong = why + ": " + line;
      }
    }
  }
  return lines;
}

} // namespace rb::cases
