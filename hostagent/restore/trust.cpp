#include "restore/backups.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/io.hpp"
#include "set/names.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include "base/open_beneath.hpp"

#include <algorithm>

namespace rb::restore {

using set::Provenance;
using sign::PublicKey;

namespace {

constexpr std::size_t k_public_key_limit_bytes = 4096;

/// A key, or the file that holds one.
Result<PublicKey> given_key(const std::string& word) {
  if (auto key = PublicKey::parse(word)) {
    return key;
  }
  const auto text = read_text_file(word, k_public_key_limit_bytes);
  if (!text) {
    return Error{ErrorCode::invalid_argument,
                 "--public-key: " + text.error().message,
                 "give a file such as railiance-backup.pub, or the key itself (RW...)"};
  }
  auto key = PublicKey::parse(*text);
  return key ? std::move(key) : Result<PublicKey>(std::move(key).error().within(word));
}

/// Lines that age takes for comments.
void add_pins(const std::vector<Pin>& pins, std::vector<PublicKey>& keys, const Io& io) {
  for (const Pin& pin : pins) {
    if (const auto key = PublicKey::parse(pin.key)) {
      keys.push_back(*key);
    } else {
      warn(io, pin.source + ": a railiance-backup public key that cannot be read");
    }
  }
}

/// A key that is there and cannot be read must not make room for a weaker one.
Error unreadable(Error error) {
  if (error.code == ErrorCode::invalid_argument) { // no fault of the command line
    error.code = ErrorCode::unsupported;
  }
  error.hint = "name the host's public key with --public-key; then this file is not asked";
  return error;
}

Status add_host_key(std::vector<PublicKey>& keys, const Io& io) {
  if (io.host_public_key.empty()) {
    return {};
  }
  const auto text = read_regular(io.host_public_key, k_public_key_limit_bytes);
  if (!text) {
    return text.error().code == ErrorCode::not_found ? Status() : unreadable(text.error());
  }
  if (const auto key = PublicKey::parse(text->text())) {
    keys.push_back(*key);
  } else {
    warn(io, io.host_public_key + ": " + key.error().message);
  }
  return {};
}

Status add_key_beside(set::Directory& directory, std::vector<PublicKey>& keys) {
  const auto file = directory.fs().open_read(std::string(set::k_public_key_name));
  Bytes text(k_public_key_limit_bytes);
  const auto got = file ? (*file)->read(text) : Result<std::size_t>(file.error());
  if (!got) {
    return got.error().code == ErrorCode::not_found ? Status() : unreadable(got.error());
  }
  if (const auto key = PublicKey::parse(as_text(ByteView(text).first(*got)))) {
    keys.push_back(*key);
  }
  return {};
}

Status find_keys(set::Directory& directory,
                 const std::vector<std::string>& public_keys,
                 const std::vector<Pin>& pins,
                 const Io& io,
                 Catalogue& catalogue) {
  for (const std::string& word : public_keys) {
    RB_TRY_ASSIGN(const PublicKey key, given_key(word));
    catalogue.keys.push_back(key);
  }
  if (!catalogue.keys.empty()) {
    catalogue.source = TrustSource::pinned;
    return {};
  }
  add_pins(pins, catalogue.keys, io);
  const bool pinned = !catalogue.keys.empty();
  RB_TRY(add_host_key(catalogue.keys, io));
  if (!catalogue.keys.empty()) {
    catalogue.source = pinned ? TrustSource::pinned : TrustSource::host;
    return {};
  }
  RB_TRY(add_key_beside(directory, catalogue.keys));
  catalogue.source = catalogue.keys.empty() ? TrustSource::none : TrustSource::directory;
  return {};
}

/// Whom the newest own set names, whether it is one of `sets` or lies where this host keeps its
/// own: `directory` may hold another server's.
std::vector<set::PeerKey> find_peers(const set::Directory& directory,
                                     std::vector<set::BackupSet> sets,
                                     const std::vector<PublicKey>& keys,
                                     const Io& io) {
  if (!io.default_backup_dir.empty() && io.default_backup_dir != directory.path()) {
    auto own = set::Directory::open_existing(io.default_backup_dir);
    auto more = own ? set::list_sets(*own) : Result<std::vector<set::BackupSet>>(own.error());
    if (more) {
      std::ranges::move(*more, std::back_inserter(sets));
    }
  }
  return set::peers_named(sets, keys);
}

std::string_view to_string(TrustSource source) {
  switch (source) {
  case TrustSource::pinned:
    return "pinned";
  case TrustSource::host:
    return "host";
  case TrustSource::directory:
    return "directory";
  case TrustSource::none:
    return "none";
  }
  return "";
}

} // namespace

const set::SignedFile* Catalogue::tampered_file() const {
  const auto found = std::ranges::find_if(
      files, [](const set::SignedFile& file) { return set::is_tampering(file.trust); });
  return found == files.end() ? nullptr : &*found;
}

set::SetProvenance Catalogue::of(const std::string& run_id) const {
  const auto found = sets.find(run_id);
  return found == sets.end() ? set::SetProvenance() : found->second;
}

std::string Catalogue::word_for(const std::string& run_id) const {
  const set::SetProvenance made = of(run_id);
  if (made.verdict == Provenance::genuine && source == TrustSource::directory) {
    return "first use";
  }
  return std::string(set::to_string(made.verdict)) + (made.peer.empty() ? "" : ", of " + made.peer);
}

std::vector<PublicKey> Catalogue::all_keys() const {
  std::vector<PublicKey> all = keys;
  for (const set::PeerKey& peer : peers) {
    all.push_back(peer.key);
  }
  return all;
}

Result<Catalogue> catalogue_of(set::Directory& directory,
                               const std::vector<set::BackupSet>& sets,
                               const std::vector<std::string>& public_keys,
                               const std::vector<Pin>& pins,
                               const Io& io) {
  Catalogue catalogue;
  RB_TRY(find_keys(directory, public_keys, pins, io, catalogue));
  if (catalogue.known_from_outside() && public_keys.empty()) {
    catalogue.peers = find_peers(directory, sets, catalogue.keys, io);
  }
  catalogue.sets = set::judge_catalogue(sets,
                                        catalogue.keys,
                                        catalogue.known_from_outside() ? set::KeyOrigin::outside
                                                                       : set::KeyOrigin::directory,
                                        catalogue.peers);
  catalogue.files = set::judge_signed_files(directory, sets, catalogue.sets, catalogue.all_keys());
  return catalogue;
}

void warn_of_first_use(const Catalogue& catalogue, const Io& io) {
  const bool rests = std::ranges::any_of(
      catalogue.sets, [](const auto& set) { return set::is_of_host(set.second.verdict); });
  if (catalogue.source != TrustSource::directory || !rests) {
    return;
  }
  warn(
      io,
      "first use: the key of the signatures comes from the backup directory itself, and who can "
      "write there can have put both there. Compare it with the one that you wrote down: " +
          catalogue.keys.front().line() +
          " (--public-key, or the line \"# railiance-backup public key: RW...\" in your keys file, "
          "does that for you)");
}

void tell_of_files(const Catalogue& catalogue, std::ostream& stream) {
  for (const set::SignedFile& file : catalogue.files) {
    if (file.trust == set::FileTrust::absent || file.trust == set::FileTrust::genuine ||
        file.trust == set::FileTrust::unproven) {
      continue; // where no key is known, every set says so
    }
    const bool tampered = set::is_tampering(file.trust);
    stream << (tampered ? "WARNING: " : "warning: ") << file.name
           << " beside the sets: " << set::to_string(file.trust) << ": "
           << terminal_text(file.message) << '\n';
    if (tampered) {
      stream << "hint: do not run it, follow it or read values from it; take the program from "
                "elsewhere. The next backup puts the host's own file there\n";
    }
  }
}

void add_provenance(set::SetReport& report, const Catalogue& catalogue, bool allow_unsigned) {
  const set::SetProvenance provenance = catalogue.of(report.run_id);
  report.signature = catalogue.word_for(report.run_id);
  if (allow_unsigned && provenance.verdict == Provenance::unsigned_known) {
    report.problems.insert(report.problems.begin(),
                           "signature: " + provenance.message + " (--allow-unsigned)");
  } else if (set::is_tampering(provenance.verdict)) {
    report.code = set::worse(report.code, ExitCode::damaged);
    report.problems.insert(report.problems.begin(), "signature: " + provenance.message);
  } else if (provenance.verdict == Provenance::removed_before) {
    report.problems.insert(report.problems.begin(),
                           "warning: " + provenance.message + "; this set itself is good");
  }
}

nlohmann::ordered_json files_to_json(const Catalogue& catalogue) {
  auto json = nlohmann::ordered_json::array();
  for (const set::SignedFile& file : catalogue.files) {
    if (file.trust != set::FileTrust::absent) {
      json.push_back({{"name", file.name},
                      {"verdict", set::to_string(file.trust)},
                      {"tampering", set::is_tampering(file.trust)},
                      {"message", file.message}});
    }
  }
  return json;
}

nlohmann::ordered_json to_json(const Catalogue& catalogue, const std::string& run_id) {
  const set::SetProvenance provenance = catalogue.of(run_id);
  return {{"verdict", set::to_string(provenance.verdict)},
          {"tampering", set::is_tampering(provenance.verdict)},
          {"keyID", provenance.key_id},
          {"trust", to_string(catalogue.source)},
          {"server", provenance.peer},
          {"namedBy", provenance.named_by},
          {"message", provenance.message}};
}

cluster::SignatureFact fact_of(const Catalogue& catalogue, const std::string& run_id) {
  cluster::SignatureFact fact;
  fact.provenance = catalogue.of(run_id);
  fact.first_use = catalogue.source == TrustSource::directory;
  if (fact.first_use) {
    fact.key = catalogue.keys.front().line();
  }
  return fact;
}

std::optional<int> refused_by_signature(const Catalogue& catalogue,
                                        const std::string& run_id,
                                        bool allow_unsigned,
                                        const Io& io) {
  const cluster::Check check =
      cluster::signature_check(run_id, fact_of(catalogue, run_id), allow_unsigned);
  const std::string message = terminal_text(check.message);
  switch (check.verdict) {
  case cluster::Verdict::ok:
    break;
  case cluster::Verdict::warn:
    warn(io, "signature: " + message + (check.hint.empty() ? "" : "; " + check.hint));
    break;
  case cluster::Verdict::refuse:
    return fail(io, {ErrorCode::corrupt, "refused: " + message, check.hint}, check.code);
  }
  return std::nullopt;
}

} // namespace rb::restore
