// Settings that k3s compares between a server that joins and the one that it joins
// (CriticalControlArgs, pkg/daemons/config of k3s; docs.k3s.io, "Critical Configuration Values").
#include "restore/cluster/checks.hpp"
#include "restore/cluster/rejoin.hpp"

#include <array>

namespace rb::cluster {

namespace {

struct SharedSetting {
  const char* flag;
  const char* usual; ///< What k3s takes where nothing is said.
};

constexpr std::array<SharedSetting, 5> k_values{{{"cluster-cidr", "10.42.0.0/16"},
                                                 {"service-cidr", "10.43.0.0/16"},
                                                 {"cluster-domain", "cluster.local"},
                                                 {"flannel-backend", "vxlan"},
                                                 {"egress-selector-mode", "agent"}}};

constexpr std::array<const char*, 7> k_switches{"disable-cloud-controller",
                                                "disable-helm-controller",
                                                "disable-network-policy",
                                                "embedded-registry",
                                                "flannel-external-ip",
                                                "flannel-ipv6-masq",
                                                "secrets-encryption"};

/// "10.42.0.0/16,2001:cafe:42::/56", in one value or in several.
std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ",") + value;
  }
  std::erase(text, ' ');
  return text;
}

std::string value_of(const ServerSettings& settings, const SharedSetting& setting) {
  const std::string value = joined(settings.values(setting.flag));
  return value.empty() ? setting.usual : value;
}

bool disables(const ServerSettings& settings, std::string_view what) {
  const std::string all = "," + joined(settings.values("disable")) + ",";
  return all.find("," + std::string(what) + ",") != std::string::npos;
}

std::string word_for(bool on) {
  return on ? "on" : "off";
}

} // namespace

Check check_shared_settings(const ServerSettings& here, const ServerSettings& there) {
  std::string differing;
  const auto compare =
      [&](const std::string& name, const std::string& ours, const std::string& theirs) {
        if (ours != theirs) {
          differing += (differing.empty() ? "" : ", ") + name + " (" + ours + " here, " + theirs +
                       " in the set)";
        }
      };
  for (const SharedSetting& setting : k_values) {
    compare(setting.flag, value_of(here, setting), value_of(there, setting));
  }
  for (const char* const flag : k_switches) {
    compare(flag, word_for(here.is_on(flag)), word_for(there.is_on(flag)));
  }
  compare("disable: servicelb",
          word_for(disables(here, "servicelb")),
          word_for(disables(there, "servicelb")));
  const auto has_agent_token = [](const ServerSettings& settings) {
    return word_for(settings.has("agent-token") || settings.has("agent-token-file"));
  };
  compare("agent-token", has_agent_token(here), has_agent_token(there)); // what it is nobody keeps
  if (here.has("cluster-dns") && there.has("cluster-dns")) { // the usual one is made of the range
    compare("cluster-dns", joined(here.values("cluster-dns")), joined(there.values("cluster-dns")));
  }
  return differing.empty()
             ? passed("shared-settings", "what all servers share is as in the set")
             : warned("shared-settings",
                      "not as in the set: " + differing +
                          "; k3s does not join where they are not those of the other servers "
                          "(\"critical configuration value mismatch between servers\")",
                      "write them to /etc/rancher/k3s/config.yaml as the restored server has them");
}

} // namespace rb::cluster
