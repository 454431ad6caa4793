#include "cli/install/kept.hpp"

#include "base/json_member.hpp"
#include "base/text.hpp"
#include "kube/resource.hpp"

#include <string_view>

namespace rb::install {

namespace {

using nlohmann::json;

/// The value of "--flag=" among the arguments of the pods of that object.
std::optional<std::string> argument_of(const std::vector<json>& objects,
                                       std::string_view kind,
                                       std::string_view name,
                                       const std::string& flag) {
  const json::json_pointer arguments("/spec/template/spec/containers/0/args");
  const std::string prefix = "--" + flag + "=";
  for (const json& object : objects) {
    const bool meant =
        json_text(object, "kind") == kind && json_text(kube::metadata_of(object), "name") == name;
    if (!meant || !object.contains(arguments)) {
      continue;
    }
    for (const json& argument : object.at(arguments)) {
      const std::string text = json_text(argument);
      if (text.starts_with(prefix)) {
        return text.substr(prefix.size());
      }
    }
  }
  return std::nullopt;
}

std::optional<int> number_in(const std::optional<std::string>& text) {
  return text ? whole_number<int>(*text) : std::nullopt;
}

std::string text_of(const std::string& value) {
  return value.find(' ') == std::string::npos ? value : "\"" + value + "\"";
}

std::string text_of(int value) {
  return std::to_string(value);
}

template <typename Value>
void keep(const char* flag,
          std::optional<Value>& given,
          const std::optional<Value>& laid,
          const std::optional<Value>& packaged,
          std::vector<std::string>& said) {
  if (!given && laid && laid != packaged) {
    given = laid;
    said.push_back(std::string(flag) + " " + text_of(*laid));
  }
}

} // namespace

Choices choices_in(const std::vector<json>& objects) {
  Choices choices;
  choices.backup_dir = argument_of(objects, "DaemonSet", k_agent, "backup-dir");
  choices.keep_last = number_in(argument_of(objects, "Deployment", k_controller, "keep-last"));
  for (const json& object : objects) {
    const json& spec = json_member(object, "spec");
    const std::string name = json_text(kube::metadata_of(object), "name");
    if (json_text(object, "kind") == "ConfigMap" && name == k_sops_config_map) {
      choices.sops_yaml = json_text(json_member(object, "data"), k_sops_key);
    }
    if (json_text(object, "kind") != "CronJob" || json_text(spec, "schedule").empty()) {
      continue;
    }
    choices.schedule = json_text(spec, "schedule");
    if (const std::string zone = json_text(spec, "timeZone"); !zone.empty()) {
      choices.time_zone = zone;
    }
  }
  return choices;
}

std::string backup_dir_in(const std::vector<json>& objects) {
  return choices_in(objects).backup_dir.value_or(std::string());
}

Kept with_kept(Choices given, const Choices& laid, const Choices& packaged) {
  Kept kept{std::move(given), {}};
  Choices& choices = kept.choices;
  keep("--backup-dir", choices.backup_dir, laid.backup_dir, packaged.backup_dir, kept.said);
  keep("--keep-last", choices.keep_last, laid.keep_last, packaged.keep_last, kept.said);
  keep("--schedule", choices.schedule, laid.schedule, packaged.schedule, kept.said);
  keep("--time-zone", choices.time_zone, laid.time_zone, packaged.time_zone, kept.said);
  return kept;
}

} // namespace rb::install
