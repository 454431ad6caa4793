#include "recover/server_settings.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace rb::recover {

namespace {

constexpr std::array<const char*, 18> k_carried{"config",
                                                "node-name",
                                                "node-ip",
                                                "node-external-ip",
                                                "bind-address",
                                                "advertise-address",
                                                "https-listen-port",
                                                "supervisor-port",
                                                "cluster-cidr",
                                                "service-cidr",
                                                "cluster-dns",
                                                "cluster-domain",
                                                "service-node-port-range",
                                                "flannel-backend",
                                                "secrets-encryption",
                                                "secrets-encryption-provider",
                                                "etcd-arg",
                                                "disable-agent"};

std::vector<std::string> scalars(const YAML::Node& node) {
  std::vector<std::string> values;
  if (node.IsScalar()) {
    values.push_back(node.Scalar());
  } else if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (item.IsScalar()) {
        values.push_back(item.Scalar());
      }
    }
  }
  return values;
}

void overlay(Flags& flags, std::string key, std::vector<std::string> values) {
  if (key.ends_with('+')) {
    key.pop_back();
    auto& present = flags[key];
    present.insert(present.end(), values.begin(), values.end());
    return;
  }
  flags[key] = std::move(values);
}

const std::vector<std::string>* find(const Flags& flags, const std::string& flag) {
  const auto found = flags.find(flag);
  return found == flags.end() ? nullptr : &found->second;
}

} // namespace

bool ServerSettings::has(const std::string& flag) const {
  return find(config, flag) != nullptr || find(unit, flag) != nullptr;
}

std::string ServerSettings::value(const std::string& flag) const {
  const std::vector<std::string> all = values(flag);
  return all.empty() ? std::string() : all.back();
}

std::vector<std::string> ServerSettings::values(const std::string& flag) const {
  std::vector<std::string> all;
  for (const Flags* const flags : {&config, &unit}) {
    if (const auto* const some = find(*flags, flag)) {
      all.insert(all.end(), some->begin(), some->end());
    }
  }
  return all;
}

bool ServerSettings::is_on(const std::string& flag) const {
  return has(flag) && value(flag) != "false" && value(flag) != "0";
}

Status merge_config(Flags& flags, std::string_view text, const std::string& path) {
  try {
    const YAML::Node document = YAML::Load(std::string(text));
    if (document.IsNull()) {
      return {};
    }
    if (!document.IsMap()) {
      return Error{ErrorCode::corrupt, path + ": not a YAML mapping", {}};
    }
    for (const auto& pair : document) {
      overlay(flags, pair.first.Scalar(), scalars(pair.second));
    }
  } catch (const YAML::Exception&) { // its message may repeat a token
    return Error{ErrorCode::corrupt, path + ": not valid YAML", {}};
  }
  return {};
}

std::vector<std::string> carried_flags(const ServerSettings& settings) {
  std::vector<std::string> carried;
  for (const char* const flag : k_carried) {
    if (const auto* const values = find(settings.unit, flag)) {
      for (const std::string& value : *values) {
        carried.push_back(std::string("--") + flag + (value.empty() ? "" : "=" + value));
      }
    }
  }
  return carried;
}

} // namespace rb::recover
