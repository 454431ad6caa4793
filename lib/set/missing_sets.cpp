#include "set/missing_sets.hpp"

#include <algorithm>
#include <map>

namespace rb::set {

namespace {

/// Which sets each manifest names, by numbers in place of run ids: there may be thousands, and each
/// names all of those before it.
class Naming {
public:
  /// `sets` have manifests, and outlive it.
  explicit Naming(const std::vector<const BackupSet*>& sets) : m_sets(&sets) {
    for (const BackupSet* const set : sets) {
      m_numbers.try_emplace(set->run_id, m_numbers.size());
      for (const ManifestLink& link : set->manifest->catalogue) {
        m_numbers.try_emplace(link.run_id, m_numbers.size());
      }
    }
    for (const BackupSet* const set : sets) {
      std::vector<bool>& named = m_named.emplace_back(m_numbers.size());
      for (const ManifestLink& link : set->manifest->catalogue) {
        named[number_of(link.run_id)] = true;
      }
    }
  }

  /// Of a set, or of one that a manifest names.
  [[nodiscard]] std::size_t number_of(const std::string& run_id) const {
    return m_numbers.find(run_id)->second;
  }
  /// The manifest of the set at `index` names the one of that number.
  [[nodiscard]] bool names(std::size_t index, std::size_t number) const {
    return m_named[index][number];
  }
  /// Run ids come from a clock that may go back; what a manifest saw comes from the disk.
  [[nodiscard]] bool is_after(std::size_t one, std::size_t other) const {
    return saw(one, other) || (run_id(one) > run_id(other) && !saw(other, one));
  }

private:
  [[nodiscard]] const std::string& run_id(std::size_t index) const {
    return (*m_sets)[index]->run_id;
  }
  [[nodiscard]] bool saw(std::size_t one, std::size_t other) const {
    const auto& previous = (*m_sets)[one]->manifest->previous;
    return names(one, number_of(run_id(other))) || (previous && previous->run_id == run_id(other));
  }

  const std::vector<const BackupSet*>* m_sets;
  std::map<std::string, std::size_t> m_numbers;
  std::vector<std::vector<bool>> m_named; ///< By index of the set, then by number.
};

/// Leaves those that every manifest made after that of the set at `index` still names.
void keep_unremoved(const Naming& naming,
                    std::size_t index,
                    std::size_t sets,
                    std::vector<const ManifestLink*>& links) {
  for (std::size_t other = sets; other-- > 0 && !links.empty();) {
    if (other != index && naming.is_after(other, index)) {
      std::erase_if(links, [&](const ManifestLink* link) {
        return !naming.names(other, naming.number_of(link->run_id));
      });
    }
  }
}

} // namespace

std::vector<MissingSet> missing_sets(const std::vector<const BackupSet*>& signed_sets,
                                     const std::set<std::string>& present) {
  std::vector<MissingSet> missing;
  std::set<std::string> known;
  const Naming naming(signed_sets);
  const auto [oldest, newest] = std::ranges::minmax_element(signed_sets, {}, &BackupSet::run_id);
  for (std::size_t i = 0; i < signed_sets.size(); ++i) {
    std::vector<const ManifestLink*> gone;
    for (const ManifestLink& link : signed_sets[i]->manifest->catalogue) {
      if (link.run_id > (*oldest)->run_id && link.run_id < (*newest)->run_id &&
          !present.contains(link.run_id)) {
        gone.push_back(&link);
      }
    }
    keep_unremoved(naming, i, signed_sets.size(), gone);
    for (const ManifestLink* const link : gone) {
      if (known.insert(link->run_id).second) {
        missing.push_back({*link, signed_sets[i]->run_id});
      }
    }
  }
  return missing;
}

} // namespace rb::set
