#include "offsite/old_keys.hpp"

#include "set/catalogue.hpp"
#include "set/directory.hpp"
#include "set/names.hpp"

#include <algorithm>
#include <span>

namespace rb::offsite {

namespace {

constexpr std::size_t k_public_key_limit_bytes = 4096;
constexpr std::size_t k_old_keys_limit = 16; ///< A host gets another key once in a while.

} // namespace

Result<std::vector<OldKey>> old_keys_in(set::Directory& directory) {
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  std::vector<OldKey> found;
  for (const DirectoryEntry& entry : entries) {
    const auto id = set::old_public_key_id(entry.name);
    if (!id || !entry.regular || found.size() == k_old_keys_limit) {
      continue;
    }
    const auto text = set::read_text(directory, entry.name, k_public_key_limit_bytes);
    const auto key = text ? sign::PublicKey::parse(*text) : Result<sign::PublicKey>(text.error());
    if (key && *text == key->file() && sign::to_string(key->id()) == *id) {
      found.push_back({entry.name, *key});
    }
  }
  return found;
}

bool is_needed(const OldKey& old, const std::vector<set::BackupSet>& sets) {
  const auto verdicts = set::judge_catalogue(sets, std::span(&old.key, 1), set::KeyOrigin::outside);
  return std::ranges::any_of(verdicts,
                             [](const auto& made) { return set::is_of_host(made.second.verdict); });
}

} // namespace rb::offsite
