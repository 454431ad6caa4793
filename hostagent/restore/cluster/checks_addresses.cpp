// Addresses and interfaces that the configuration names, compared with those of this host.
#include "restore/cluster/checks.hpp"

#include <algorithm>
#include <array>

namespace rb::cluster {

namespace {

/// What becomes of a server whose setting names an address that is not there.
enum class Weight {
  fatal,  ///< It does not start: something listens there.
  telling ///< It starts; others may look for it in the wrong place.
};

struct AddressSetting {
  const char* flag;
  Weight weight;
  const char* consequence;
};

constexpr std::array<AddressSetting, 5> k_settings{{
    {"node-ip", Weight::fatal, "etcd could not listen there"},
    {"bind-address", Weight::fatal, "the API server could not listen there"},
    {"advertise-address",
     Weight::telling,
     "pods would look for the API server there; right where a load balancer has it"},
    {"node-external-ip",
     Weight::telling,
     "the node would give it as its own; right where a router has it"},
    {"tls-san",
     Weight::telling,
     "the certificate would name it, and not the new one; right where a load balancer has it"},
}};

constexpr std::array<const char*, 6> k_argument_flags{"etcd-arg",
                                                      "kube-apiserver-arg",
                                                      "kube-controller-manager-arg",
                                                      "kube-scheduler-arg",
                                                      "kubelet-arg",
                                                      "kube-proxy-arg"};
constexpr std::array<std::string_view, 9> k_listening{"bind-address",
                                                      "address",
                                                      "node-ip",
                                                      "listen-client-urls",
                                                      "listen-client-http-urls",
                                                      "listen-peer-urls",
                                                      "listen-metrics-urls",
                                                      "metrics-bind-address",
                                                      "healthz-bind-address"};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    while (part.ends_with(' ')) {
      part.remove_suffix(1);
    }
    parts.emplace_back(part);
  }
  return parts;
}

class AddressChecks {
public:
  AddressChecks(const ObservedHost& host, const Wishes& wishes, bool from_set)
      : m_host(host), m_wishes(wishes), m_from_set(from_set) {}

  void look_at(const std::string& name,
               std::string_view value,
               const std::string& place,
               const AddressSetting& setting) {
    const std::string address = address_in(value);
    if (address.empty() || is_on_every_host(address)) {
      return;
    }
    if (m_host.network.has_address(address) || acknowledged(ReplacementKind::address, address)) {
      m_fitting += (m_fitting.empty() ? "" : ", ") + name + " " + address;
      return;
    }
    // A server that ran with it until now knows better.
    if (setting.weight == Weight::telling && !m_from_set) {
      return;
    }
    m_checks.push_back({name,
                        setting.weight == Weight::fatal ? Verdict::refuse : Verdict::warn,
                        name + " " + address + in(place) +
                            ": no interface of this host has that address: " + setting.consequence,
                        hint({ReplacementKind::address, address, proposed(address)})});
  }

  void look_at_interface(const k3s::Setting& setting) {
    const std::string& name = setting.value;
    if (name.empty()) { // of $(…): only the start of the service finds it out
      return;
    }
    if (m_host.network.has_interface(name) || acknowledged(ReplacementKind::interface, name)) {
      m_fitting += (m_fitting.empty() ? "" : ", ") + std::string("flannel-iface ") + name;
      return;
    }
    m_checks.push_back(refused("flannel-iface",
                               "flannel-iface " + name + in(setting.place) +
                                   ": this host has no such interface, and k3s does "
                                   "not start without it",
                               hint({ReplacementKind::interface, name, proposed_interface()})));
  }

  std::vector<Check> take() {
    if (m_checks.empty()) {
      m_checks.push_back(passed(
          "addresses",
          m_fitting.empty() ? "none in the configuration that must fit this host" : m_fitting));
    }
    return std::move(m_checks);
  }

private:
  static std::string in(const std::string& place) {
    return place.empty() ? std::string() : " (" + place + ")";
  }

  bool acknowledged(ReplacementKind kind, const std::string& what) const {
    return std::ranges::any_of(m_wishes.replacements, [&](const Replacement& one) {
      return one.kind == kind && one.keeps() && one.from == what;
    });
  }

  /// The only one of that family, or "NEW".
  std::string proposed(const std::string& address) const {
    const bool six = address.find(':') != std::string::npos;
    std::vector<std::string> fitting;
    for (const Interface& one : m_host.network.interfaces) {
      for (const std::string& its : one.addresses) {
        if (!is_on_every_host(its) && !its.starts_with("fe80:") &&
            six == (its.find(':') != std::string::npos)) {
          fitting.push_back(its);
        }
      }
    }
    return fitting.size() == 1 ? fitting.front() : "NEW";
  }

  std::string proposed_interface() const {
    std::vector<std::string> others;
    for (const Interface& one : m_host.network.interfaces) {
      if (one.name != "lo") {
        others.push_back(one.name);
      }
    }
    return others.size() == 1 ? others.front() : "NEW";
  }

  /// "eth0 198.51.100.7, wg0"
  std::string inventory() const {
    std::string text;
    for (const Interface& one : m_host.network.interfaces) {
      if (one.name == "lo") {
        continue;
      }
      text += (text.empty() ? "" : ", ") + one.name;
      for (const std::string& address : one.addresses) {
        text += address.starts_with("fe80:") ? "" : " " + address;
      }
    }
    return text.empty() ? "no interface but lo" : text;
  }

  std::string hint(const Replacement& replacement) const {
    const std::string here = " (this host has " + inventory() + ")";
    const Replacement keep{replacement.kind, replacement.from, replacement.from};
    if (!m_from_set) {
      return "change it in the configuration of this host" + here + "; " + keep.option() +
             " if it is right as it is";
    }
    return replacement.option() + " rewrites it in what is put back" + here +
           "; --keep-config takes this host's own configuration instead; " + keep.option() +
           " if it is right as it is";
  }

  const ObservedHost& m_host;
  const Wishes& m_wishes;
  const bool m_from_set;
  std::string m_fitting;
  std::vector<Check> m_checks;
};

void look_at_arguments(const ServerSettings& settings, AddressChecks& checks) {
  for (const char* const flag : k_argument_flags) {
    for (const k3s::Setting& setting : settings.of(flag)) {
      std::string argument = setting.value;
      argument.erase(0, std::min(argument.find_first_not_of('-'), argument.size()));
      const std::size_t equals = argument.find('=');
      const std::string key = argument.substr(0, equals);
      if (equals == std::string::npos || std::ranges::find(k_listening, key) == k_listening.end()) {
        continue;
      }
      const std::string name = std::string(flag) + " " + key;
      for (const std::string& value : split(std::string_view(argument).substr(equals + 1))) {
        checks.look_at(
            name, value, setting.place, {flag, Weight::fatal, "it could not listen there"});
      }
    }
  }
}

/// Each wish to rewrite has found something.
std::vector<Check> check_replacements(const SetFacts& set, const Wishes& wishes, bool from_set) {
  std::vector<Check> checks;
  for (std::size_t index = 0; index < wishes.replacements.size(); ++index) {
    const Replacement& one = wishes.replacements[index];
    if (one.keeps()) {
      continue;
    }
    if (!from_set) {
      checks.push_back(
          refused("replacement",
                  one.option() + ": this host keeps its own configuration, nothing of the "
                                 "backup's is put back that could be rewritten",
                  "leave it out, and change the file on this host where it must change"));
      continue;
    }
    std::string where;
    bool of_node = false;
    for (const Rewritten& file : set.rewritten) {
      if (file.by != index) {
        continue;
      }
      if (file.path == k_node_words) {
        of_node = true;
        continue;
      }
      where += (where.empty() ? "" : "; ") + file.path + " line";
      where += file.lines.size() == 1 ? "" : "s";
      for (const std::size_t line : file.lines) {
        where += (line == file.lines.front() ? " " : ", ") + std::to_string(line);
      }
    }
    if (where.empty() && of_node) {
      checks.push_back(warned("replacement",
                              one.option() + ": the server had " + one.from +
                                  ", and no file that is put back says so: a script finds it out, "
                                  "or a file that the set does not have; the reset is given " +
                                  one.to,
                              "see that k3s is started with it, too"));
    } else if (where.empty()) {
      checks.push_back(
          refused("replacement",
                  one.option() + ": " + one.from +
                      " stands nowhere in the configuration that "
                      "is put back",
                  "look for a slip of the pen; the checks name what does not fit this host"));
    } else {
      checks.push_back(passed("replacement",
                              one.from + " becomes " + one.to + " in what is put back: " + where));
    }
  }
  return checks;
}

} // namespace

std::vector<Check>
check_addresses(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  const bool from_set = puts_back_configuration(host, set, wishes);
  const ServerSettings& settings = effective_settings(host, set, from_set);
  std::vector<Check> all = check_replacements(set, wishes, from_set);
  if (!host.network.problem.empty()) {
    all.push_back(
        warned("addresses",
               host.network.problem + ": whether the configuration fits them is not known",
               "compare node-ip and flannel-iface with `ip address`"));
    return all;
  }
  AddressChecks checks(host, wishes, from_set);
  for (const AddressSetting& known : k_settings) {
    for (const k3s::Setting& setting : settings.of(known.flag)) {
      for (const std::string& one : split(setting.value)) {
        checks.look_at(known.flag, one, setting.place, known);
      }
    }
  }
  for (const k3s::Setting& setting : settings.of("flannel-iface")) {
    checks.look_at_interface(setting);
  }
  look_at_arguments(settings, checks);
  for (Check& check : checks.take()) {
    all.push_back(std::move(check));
  }
  return all;
}

} // namespace rb::cluster
