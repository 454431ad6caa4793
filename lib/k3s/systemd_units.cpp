#include "k3s/lines.hpp"
#include "k3s/systemd.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace rb::k3s {

namespace {

/// In the order in which they go before each other.
constexpr std::array<std::string_view, 5> k_places{"/etc/systemd/system",
                                                   "/run/systemd/system",
                                                   "/usr/local/lib/systemd/system",
                                                   "/usr/lib/systemd/system",
                                                   "/lib/systemd/system"};
constexpr std::string_view k_of_packages = "/usr/lib/systemd/system";
constexpr std::string_view k_k3s = "k3s";
constexpr std::string_view k_suffix = ".service";
constexpr std::string_view k_drop_ins = ".service.d";

/// "k3s@server" -> "k3s@"; empty: it is no instance.
std::string template_of(const std::string& unit) {
  const std::size_t at = unit.find('@');
  return at == std::string::npos || at + 1 == unit.size() ? std::string() : unit.substr(0, at + 1);
}

/// `there`: one of that name is there, masked perhaps.
std::optional<UnitFile> file_named(const HostFiles& files, const std::string& unit, bool& there) {
  const std::string name = unit + std::string(k_suffix);
  for (const std::string_view place : k_places) {
    std::string path = std::string(place) + "/" + name;
    if (auto text = files.read(path)) {
      there = true;
      return UnitFile{std::move(path), std::move(*text)};
    }
    if (is_among(files.list(std::string(place)), name)) {
      there = true;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// "a-b-c" -> "a-b-c.service.d", "a-b-.service.d", "a-.service.d", "service.d"; of "a@b" the
/// template's, too.
std::vector<std::string> drop_in_directories(const std::string& unit) {
  std::vector<std::string> names{unit + std::string(k_drop_ins)};
  if (const std::string base = template_of(unit); !base.empty()) {
    names.push_back(base + std::string(k_drop_ins));
  }
  for (std::size_t dash = unit.rfind('-'); dash != std::string::npos && dash > 0;
       dash = unit.rfind('-', dash - 1)) {
    names.push_back(unit.substr(0, dash + 1) + std::string(k_drop_ins));
  }
  names.emplace_back("service.d");
  return names;
}

/// Links there make a unit start with another one: by `systemctl enable`, or by hand.
bool is_directory_of_links(std::string_view name) {
  return name.ends_with(".wants") || name.ends_with(".requires") || name.ends_with(".upholds");
}

using Links = std::map<std::string, std::string>; ///< Of units, by their names.

void add(Links& found, std::string_view file, std::string_view suffix, const std::string& link) {
  if (file.ends_with(suffix)) {
    std::string& known = found[std::string(file.substr(0, file.size() - suffix.size()))];
    known = known.empty() ? link : known;
  }
}

void add_enabled(const HostFiles& files, const std::string& directory, Links& found) {
  for (const std::string& name : files.list(directory)) {
    if (name.ends_with(k_suffix) &&
        !template_of(name.substr(0, name.size() - k_suffix.size())).empty()) {
      add(found, name, k_suffix, directory + "/" + name);
    }
  }
}

/// A file, a directory of drop-ins, or the links of another unit.
void add_entry(const HostFiles& files,
               const std::string& place,
               const std::string& name,
               Links& found) {
  add(found, name, k_suffix, {});
  if (name.find('@') != std::string::npos && !name.starts_with('@') &&
      !name.ends_with("@" + std::string(k_drop_ins))) {
    add(found, name, k_drop_ins, {});
  }
  if (is_directory_of_links(name)) {
    add_enabled(files, place + "/" + name, found);
  }
}

} // namespace

std::optional<UnitFile> unit_file(const HostFiles& files, const std::string& unit) {
  bool there = false;
  auto found = file_named(files, unit, there);
  const std::string base = template_of(unit);
  return there || base.empty() ? found : file_named(files, base, there);
}

std::vector<UnitFile> drop_ins(const HostFiles& files, const std::string& unit) {
  std::map<std::string, std::string> paths;
  for (const std::string& directory : drop_in_directories(unit)) {
    for (const std::string_view place : k_places) {
      const std::string path = std::string(place) + "/" + directory;
      for (const std::string& name : files.list(path)) {
        if (name.ends_with(".conf")) {
          paths.try_emplace(name, path + "/" + name);
        }
      }
    }
  }
  std::vector<UnitFile> texts;
  for (const auto& [name, path] : paths) {
    if (auto text = files.read(path)) {
      texts.push_back({path, std::move(*text)});
    }
  }
  return texts;
}

std::vector<std::string> hidden_units(const HostFiles& files) {
  const std::vector<std::string> names = files.list(std::string(k_places.front()));
  std::vector<std::string> units;
  if (names.empty() || !files.hides(std::string(k_of_packages) + "/")) {
    return units;
  }
  const auto add_hidden = [&](const std::string& unit) {
    const bool seen = is_among(names, unit + std::string(k_suffix)); // or masked
    if (!seen && unit.find('@') == std::string::npos && !is_among(units, unit)) {
      units.push_back(unit);
    }
  };
  for (const std::string& name : names) {
    if (name.ends_with(k_drop_ins)) {
      add_hidden(name.substr(0, name.size() - k_drop_ins.size()));
    }
  }
  std::ranges::stable_partition(units,
                                [](const std::string& unit) { return unit.starts_with("k3s"); });
  add_hidden(std::string(k_k3s));
  return units;
}

std::string_view text_of_hidden(const std::string& unit) {
  constexpr std::string_view k_of_k3s = "[Service]\n"
                                        "EnvironmentFile=-/etc/default/%N\n"
                                        "EnvironmentFile=-/etc/sysconfig/%N\n"
                                        "EnvironmentFile=-/etc/systemd/system/%N.service.env\n"
                                        "ExecStart=k3s server\n";
  // What another unit starts is not known: a drop-in may say it.
  return unit == k_k3s ? k_of_k3s : k_of_k3s.substr(0, k_of_k3s.find("ExecStart="));
}

std::vector<UnitName> unit_names(const HostFiles& files) {
  Links found;
  for (const std::string_view place : k_places) {
    for (const std::string& name : files.list(std::string(place))) {
      add_entry(files, std::string(place), name, found);
    }
  }
  std::vector<UnitName> names;
  for (const auto& [name, link] : found) {
    names.push_back({name, link});
  }
  std::ranges::stable_partition(names, [](const UnitName& unit) { return !unit.link.empty(); });
  std::ranges::stable_partition(names,
                                [](const UnitName& unit) { return unit.name.starts_with("k3s"); });
  std::ranges::stable_partition(names, [](const UnitName& unit) { return unit.name == "k3s"; });
  return names;
}

} // namespace rb::k3s
