#include "k3s/host_settings.hpp"

#include "k3s/config_file.hpp"
#include "k3s/service.hpp"

#include <algorithm>

namespace rb::k3s {

namespace {

constexpr const char* k_variable_config = "K3S_CONFIG_FILE";

void wipe_text(std::string& text) {
  auto* const bytes = reinterpret_cast<std::uint8_t*>(text.data());
  wipe(MutableByteView(bytes, text.size()));
  text.clear();
}

/// A secret goes apart; its setting stays, masked.
void take(Setting setting, HostSettings& read) {
  if (is_secret(setting.flag) && !setting.value.empty()) {
    if (setting.value != k_masked) {
      read.secrets.push_back(
          {setting.flag, setting.place, SecretBytes(as_bytes(std::string_view(setting.value)))});
    }
    wipe_text(setting.value);
    setting.value = k_masked;
  }
  read.settings.add(std::move(setting));
}

void note_file(const std::string& path, HostSettings& read) {
  if (std::ranges::find(read.files, path) == read.files.end()) {
    read.files.push_back(path);
  }
}

/// The variable goes before the flag, and of several flags the first: k3s looks for them itself.
std::string config_path(const Service* service, const NodeArguments& node) {
  if (service != nullptr) {
    const auto variable = service->environment.find(k_variable_config);
    if (variable != service->environment.end() && !variable->second.empty()) {
      return variable->second;
    }
    for (const Setting& setting :
         settings_of_arguments(service->arguments, Origin::command_line, {})) {
      if (setting.flag == "config" && !setting.value.empty()) {
        return setting.value;
      }
    }
  }
  for (const Setting& setting : settings_of_node(node)) {
    if (setting.flag == "config" && setting.value.starts_with('/')) {
      return setting.value;
    }
  }
  return std::string(k_usual_config);
}

void read_config(const HostFiles& files, const std::string& main, HostSettings& read) {
  std::vector<Setting> merged;
  if (main.starts_with("http://") || main.starts_with("https://")) {
    return; // k3s fetches it; what stands there, only the Node says
  }
  for (const std::string& path : config_files(files, main)) {
    const auto text = files.read(path);
    if (!text) {
      continue;
    }
    note_file(path, read);
    const Status status = merge_config(merged, *text, path);
    if (!status && read.problem.empty()) {
      read.problem = status.error().message;
    }
  }
  for (Setting& setting : merged) {
    take(std::move(setting), read);
  }
}

void read_service(Service& service, HostSettings& read) {
  for (const std::string& path : service.files) {
    note_file(path, read);
  }
  for (Setting& setting :
       settings_of_arguments(service.arguments, Origin::command_line, service.place)) {
    take(std::move(setting), read);
  }
  for (auto& [name, value] : service.environment) {
    const std::string flag = flag_of_variable(name);
    if (!flag.empty() && !value.empty()) {
      const auto place = service.variable_places.find(name);
      take({flag,
            value,
            Origin::environment,
            place == service.variable_places.end() ? service.place : place->second},
           read);
    }
    wipe_text(value);
  }
}

} // namespace

HostSettings read_host_settings(const HostFiles& files, const NodeArguments& node) {
  HostSettings read;
  std::optional<Service> systemd = find_systemd_service(files);
  std::optional<Service> openrc = find_openrc_service(files);
  read.systemd_unit = systemd ? systemd->name : "";
  read.openrc_service = openrc ? openrc->name : "";
  std::optional<Service>& service = systemd ? systemd : openrc;
  const std::string main = config_path(service ? &*service : nullptr, node);
  read_config(files, main, read);
  if (service) {
    read_service(*service, read);
  }
  if (openrc) { // both are collected, whichever starts the server
    std::ranges::for_each(openrc->files, [&](const std::string& path) { note_file(path, read); });
  }
  lay_over_node(read.settings, node);
  return read;
}

} // namespace rb::k3s
