#include "agent/snapshot_name.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <cctype>

namespace rb::agent {

namespace {

constexpr std::string_view k_ours = "railiance-";
constexpr std::size_t k_run_id_length = 16; // YYYYMMDDTHHMMSSZ

bool is_name_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '-';
}

bool cut_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) {
    return false;
  }
  text.remove_suffix(suffix.size());
  return true;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

} // namespace

std::string snapshot_prefix(std::string_view run_id) {
  return std::string(k_ours).append(run_id);
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view name) {
  if (!name.starts_with(k_ours) || !std::all_of(name.begin(), name.end(), is_name_character)) {
    return std::nullopt;
  }
  name.remove_prefix(k_ours.size());
  SnapshotName parsed;
  parsed.run_id = std::string(name.substr(0, k_run_id_length));
  if (!parse_run_id(parsed.run_id)) {
    return std::nullopt;
  }
  name.remove_prefix(k_run_id_length);
  parsed.partial = cut_suffix(name, ".part");
  parsed.compressed = cut_suffix(name, ".zip");
  const std::size_t dash = name.rfind('-');
  if (!name.starts_with('-') || dash == 0 || dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view seconds = name.substr(dash + 1);
  const bool digits = !seconds.empty() && std::all_of(seconds.begin(), seconds.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  parsed.node = std::string(name.substr(1, dash - 1));
  if (!digits || parsed.node.empty()) {
    return std::nullopt;
  }
  return parsed;
}

bool is_snapshot_of(const SnapshotName& name, std::string_view run_id, std::string_view node) {
  return !name.partial && !name.compressed && name.run_id == run_id &&
         equal_ignoring_case(name.node, node);
}

} // namespace rb::agent
