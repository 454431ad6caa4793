#include "kube/resource.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>

namespace rb::kube {

namespace {

constexpr std::size_t k_name_limit = 253;     // DNS-1123 subdomain
constexpr std::size_t k_namespace_limit = 63; // DNS-1123 label

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Labels of lower-case letters, digits and '-', each beginning and ending with one of the former.
bool is_subdomain(std::string_view name, bool with_dots) {
  char before = '.';
  for (const char c : name) {
    const bool separates = c == '.';
    if (separates && (!with_dots || !is_lower_alnum(before))) {
      return false;
    }
    if (!separates && !is_lower_alnum(c) && (c != '-' || before == '.')) {
      return false;
    }
    before = c;
  }
  return is_lower_alnum(before);
}

Error not_a_name(std::string_view kind, std::string_view name) {
  constexpr std::size_t shown = 64;
  std::string text;
  for (const char c : name.substr(0, shown)) {
    text.push_back(c >= ' ' && c <= '~' ? c : '?');
  }
  text += name.size() > shown ? "…" : "";
  return {ErrorCode::invalid_argument,
          "\"" + text + "\" is not a " + std::string(kind) + " name",
          "names consist of lower-case letters, digits, '-' and '.'"};
}

std::string type_path(const ResourceType& type) {
  std::string path = type.group.empty() ? "/api/" : "/apis/" + std::string(type.group) + "/";
  return path.append(type.version);
}

} // namespace

bool is_older_version(std::string_view version, std::string_view than) {
  const auto one = whole_number<std::uint64_t>(version);
  const auto other = whole_number<std::uint64_t>(than);
  return one && other && *one < *other;
}

Status check_name(std::string_view name) {
  if (name.empty() || name.size() > k_name_limit || !is_subdomain(name, true)) {
    return not_a_name("Kubernetes object", name);
  }
  return {};
}

Status check_namespace(std::string_view name) {
  if (name.empty() || name.size() > k_namespace_limit || !is_subdomain(name, false)) {
    return not_a_name("namespace", name);
  }
  return {};
}

Result<std::string> collection_path(const ResourceType& type, std::string_view name_space) {
  std::string path = type_path(type);
  if (!name_space.empty()) {
    if (!type.namespaced) {
      return Error{ErrorCode::invalid_argument,
                   std::string(type.plural) + " are not in namespaces, but \"" +
                       std::string(name_space.substr(0, k_namespace_limit)) + "\" was given",
                   {}};
    }
    RB_TRY(check_namespace(name_space));
    path.append("/namespaces/").append(name_space);
  }
  return path.append("/").append(type.plural);
}

Result<std::string> object_path(const ObjectRef& ref) {
  if (ref.type.namespaced && ref.name_space.empty()) {
    return Error{ErrorCode::invalid_argument,
                 std::string(ref.type.plural) + ": the namespace is missing",
                 {}};
  }
  RB_TRY(check_name(ref.name));
  RB_TRY_ASSIGN(std::string path, collection_path(ref.type, ref.name_space));
  path.append("/").append(ref.name);
  if (!ref.subresource.empty()) {
    RB_TRY(check_namespace(ref.subresource)); // the same alphabet
    path.append("/").append(ref.subresource);
  }
  return path;
}

int int_of(const nlohmann::json& object, const char* key, int most) {
  const auto found = object.find(key);
  const bool fits =
      found != object.end() && found->is_number_integer() && *found >= 0 && *found <= most;
  return fits ? found->get<int>() : 0;
}

const nlohmann::json& metadata_of(const nlohmann::json& object) {
  static const nlohmann::json empty = nlohmann::json::object();
  const auto found = object.find("metadata");
  return found != object.end() && found->is_object() ? *found : empty;
}

std::string format_micro_time(SystemTime time, std::int64_t micros) {
  constexpr std::int64_t million = 1'000'000;
  const std::string digits = std::to_string(million + (micros % million + million) % million);
  std::string text = format_rfc3339(time);
  text.pop_back(); // the Z
  return text + "." + digits.substr(1) + "Z";
}

} // namespace rb::kube
