#include "restore/cluster/checks.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr std::size_t k_shown = 5;

std::string list_of(const std::vector<NamedFact>& missing) {
  std::string list;
  for (std::size_t i = 0; i < std::min(missing.size(), k_shown); ++i) {
    list += (i > 0 ? ", " : "") + missing[i].path + " (" + missing[i].by + ")";
  }
  return missing.size() <= k_shown
             ? list
             : list + " and " + std::to_string(missing.size() - k_shown) + " more";
}

} // namespace

Check check_named_files(const std::vector<NamedFact>& named) {
  std::vector<NamedFact> missing;
  std::ranges::copy_if(named, std::back_inserter(missing), [](const NamedFact& fact) {
    return !fact.in_set && !fact.on_host;
  });
  std::ranges::stable_partition(missing, [](const NamedFact& fact) { return fact.needed; });
  if (missing.empty()) {
    return {"named-files",
            Verdict::ok,
            named.empty() ? "the configuration names none"
                          : std::to_string(named.size()) +
                                " that the configuration names: in the set or on this host",
            {}};
  }
  const bool needed = missing.front().needed;
  return {"named-files",
          needed ? Verdict::refuse : Verdict::warn,
          "neither in the set nor on this host: " + list_of(missing) +
              (needed ? ": k3s would not start" : ""),
          "put them there before the restore, with the content that they had"};
}

} // namespace rb::cluster
