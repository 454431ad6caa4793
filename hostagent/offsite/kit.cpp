#include "offsite/kit.hpp"

#include "offsite/copy_set.hpp"
#include "set/catalogue.hpp"
#include "set/names.hpp"
#include "set/signed_files.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rb::offsite {

namespace {

constexpr std::size_t k_public_key_limit_bytes = 4096;
constexpr std::size_t k_old_keys_limit = 16; ///< A host gets another key once in a while.

/// A public key of before the host got the one that it has.
struct OldKey {
  std::string name; ///< "railiance-backup-<id>.pub"
  sign::PublicKey key;
};

/// The agent is not just replacing it.
bool is_settled(set::Directory& directory, const std::string& name) {
  const auto next = directory.fs().open_read(name + std::string(set::k_next_signature_suffix));
  return !next && next.error().code == ErrorCode::not_found;
}

/// What lies there as the host's public key is that key.
bool is_public_key(set::Directory& directory, const std::vector<sign::PublicKey>& keys) {
  const auto text =
      set::read_text(directory, std::string(set::k_public_key_name), k_public_key_limit_bytes);
  return text &&
         std::ranges::any_of(keys, [&](const sign::PublicKey& key) { return *text == key.file(); });
}

/// Those that lie in the backup directory, each in the form and under the name that the agent gives
/// it. Who can write there can put one there, too. Errors: those of Fs::list.
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

/// One of the sets has a signature that is of this key.
bool is_needed(const OldKey& old, const std::vector<set::BackupSet>& sets) {
  const auto verdicts = set::judge_catalogue(sets, std::span(&old.key, 1), set::KeyOrigin::outside);
  return std::ranges::any_of(verdicts,
                             [](const auto& made) { return set::is_of_host(made.second.verdict); });
}

Status send_if_new(const KitCopy& copy, const std::string& name) {
  RB_TRY_ASSIGN(const LocalFile local, measure(copy.directory, name, copy.stop));
  if (is_listed(local.file, copy.there) && copy.state.kit[name] == local.sha256) {
    return {};
  }
  RB_TRY(replicate_file(copy.directory, copy.remote, copy.there, local, copy.stop));
  copy.state.kit[name] = local.sha256;
  return {};
}

Status send_old_keys(const KitCopy& copy) {
  RB_TRY_ASSIGN(auto old_keys, old_keys_in(copy.directory));
  std::erase_if(old_keys, [&](const OldKey& old) {
    return copy.state.kit.contains(old.name) &&
           is_listed({old.name, old.key.file().size()}, copy.there);
  });
  if (old_keys.empty()) {
    return {};
  }
  RB_TRY_ASSIGN(set::Directory listing, open_remote(copy.remote, copy.stop));
  RB_TRY_ASSIGN(const auto over_there, set::list_sets(listing));
  for (const OldKey& old : old_keys) {
    if (is_needed(old, over_there)) {
      RB_TRY(send_if_new(copy, old.name));
    }
  }
  return {};
}

} // namespace

Status send_kit(const KitCopy& copy) {
  std::optional<Error> refused;
  for (const std::string_view word : {set::k_guide_name, set::k_tool_name, set::k_image_name}) {
    const set::SignedFile file = set::judge_signed_file(copy.directory, word, copy.keys);
    if (file.trust == set::FileTrust::genuine && is_settled(copy.directory, file.name)) {
      RB_TRY(send_if_new(copy, file.name));
      RB_TRY(send_if_new(copy, file.name + std::string(set::k_signature_suffix)));
    } else if (set::is_tampering(file.trust)) {
      refused = Error{ErrorCode::corrupt,
                      copy.directory.path() + "/" + file.name + ": not copied: " + file.message,
                      "look who can write there; the next backup puts the host's own file there"};
    }
  }
  if (is_public_key(copy.directory, copy.keys)) {
    RB_TRY(send_if_new(copy, std::string(set::k_public_key_name)));
    RB_TRY(send_old_keys(copy));
  }
  return refused ? Status(*refused) : Status();
}

} // namespace rb::offsite
