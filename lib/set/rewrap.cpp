#include "set/rewrap.hpp"

#include "set/age_reader.hpp"
#include "set/catalogue.hpp"
#include "set/marks.hpp"
#include "set/names.hpp"
#include "set/restore_guide.hpp"
#include "set/retention.hpp"
#include "set/rewrap_proof.hpp"
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"

#include "age/file.hpp"
#include "age/io.hpp"

#include <algorithm>
#include <set>

namespace rb::set {

namespace {

/// What a header may grow by, and the manifest with its signature.
constexpr std::uint64_t k_margin_bytes = 8U << 20U;
constexpr std::size_t k_guide_limit_bytes = 1U << 20U;
constexpr std::size_t k_stamp_limit_bytes = 64U << 10U;

Error not_as_named(const std::string& name) {
  return {ErrorCode::corrupt, name + ": its size or its SHA-256 is not that of the manifest", {}};
}

bool is_as_named(const ContentDigest& content, const api::ArtifactStatus& artifact) {
  return content.size_bytes == artifact.size_bytes && to_hex(content.sha256) == artifact.sha256;
}

/// No key opens it: because it was made for others, or because its header is damaged. Or what was
/// read back is not what it must be: because the old file was not, or because of the disk.
Error blamed(Directory& directory,
             const api::ArtifactStatus& artifact,
             Error error,
             const std::stop_token& stop) {
  const auto file = directory.fs().open_uncached(artifact.file_name);
  const auto size = file ? (*file)->size() : Result<std::uint64_t>(file.error());
  if (size && *size != artifact.size_bytes) { // it may be sparse, and without an end
    return not_as_named(artifact.file_name);
  }
  const auto content = file ? digest_of(**file, stop) : Result<ContentDigest>(file.error());
  if (!content) {
    return content.error();
  }
  return is_as_named(*content, artifact) ? std::move(error).within(artifact.file_name)
                                         : not_as_named(artifact.file_name);
}

/// What can be done about a header that only a token, a passphrase or another program opens.
Error with_way_out(Error error, age::DecryptFailure failure) {
  if (failure == age::DecryptFailure::unsupported) {
    error.hint =
        "only a key that this program can use itself gives a set other recipients: this one "
        "keeps those that it has until retention takes it. Make a new one for the keys of "
        "now (railiance-backup create --wait); with a software key (age-keygen) beside the "
        "token in .sops.yaml the next ones can be rewrapped";
  }
  return error;
}

struct Job {
  Directory& directory;
  const BackupSet& set;
  std::span<const age::Identity> identities;
  const RewrapOrder& order;
  const CheckHooks& hooks;
  unsigned generation;

  [[nodiscard]] Result<api::ArtifactStatus> rewrap(const api::ArtifactStatus& artifact) const {
    auto file = directory.fs().open_uncached(artifact.file_name);
    if (!file) {
      Error error = std::move(file).error();
      error.code = error.code == ErrorCode::not_found ? ErrorCode::corrupt : error.code;
      return error;
    }
    RewrapProof proof(artifact);
    RB_TRY_ASSIGN(ArtifactWriter writer,
                  ArtifactWriter::create(directory,
                                         artifact_name(artifact.type,
                                                       set.run_id,
                                                       generation,
                                                       api::kind_of_file(artifact.file_name)),
                                         &proof));
    StartSource source(**file);
    age::WriterSink sink(writer);
    age::DecryptFailure failure = age::DecryptFailure::none;
    auto copied = age::rewrap(
        source, sink, identities, order.recipients, options_for(artifact, proof), &failure);
    if (!copied) {
      const bool unopened =
          failure == age::DecryptFailure::no_match || failure == age::DecryptFailure::unsupported;
      return unopened ? blamed(directory,
                               artifact,
                               with_way_out(std::move(copied).error(), failure),
                               hooks.stop)
                      : std::move(copied).error().within(artifact.file_name);
    }
    auto stored = writer.commit(hooks.stop);
    if (!stored && stored.error().code == ErrorCode::corrupt) {
      return blamed(directory, artifact, std::move(stored).error(), hooks.stop);
    }
    if (!stored) {
      return std::move(stored).error();
    }
    return api::ArtifactStatus{
        artifact.type, stored->name, stored->size_bytes, to_hex(stored->sha256)};
  }

  [[nodiscard]] age::StreamOptions options_for(const api::ArtifactStatus& artifact,
                                               RewrapProof& proof) const {
    age::StreamOptions options;
    options.stop = hooks.stop;
    options.on_header = [&proof](const std::string& before, const std::string& after) {
      proof.expect(before, after);
    };
    if (hooks.on_bytes) {
      options.progress = [this, &artifact](std::uint64_t done) {
        hooks.on_bytes(artifact.file_name + ": rewrapped", done, artifact.size_bytes);
      };
    }
    return options;
  }
};

Manifest next_manifest(const BackupSet& set,
                       const RewrapOrder& order,
                       const sign::SigningKey& key,
                       SystemTime now) {
  Manifest next = *set.manifest;
  next.recipients.clear();
  for (const age::Recipient& recipient : order.recipients) {
    next.recipients.push_back(recipient.text());
  }
  next.recipient_rule = order.recipient_rule;
  RewrapRecord record = next.rewrap.value_or(RewrapRecord{});
  record.generation = set.generation + 1;
  record.time = now;
  record.replaces.push_back(set.manifest_digests->sha256);
  record.adopted = record.adopted || order.adopt;
  next.rewrap = std::move(record);
  next.signed_by = sign::to_string(key.public_key().id());
  next.artifacts.clear();
  return next;
}

Status check_order(const BackupSet& set, const RewrapOrder& order, const sign::PublicKey* own) {
  if (!set.manifest || !set.manifest_digests) {
    return Error{ErrorCode::incomplete,
                 set.run_id + ": " +
                     (set.problems.empty() ? "it has no manifest" : set.problems.front()),
                 {}};
  }
  const Manifest& manifest = *set.manifest;
  if (!manifest.unknown_files.empty()) {
    return Error{ErrorCode::unsupported,
                 manifest.unknown_files.front() + ": of a kind that only a newer release knows",
                 "use the railiance-restore that made the set, or a newer one"};
  }
  if (!order.adopt && own != nullptr && manifest.signed_by != sign::to_string(own->id())) {
    return Error{
        ErrorCode::unsupported,
        set.run_id + ": " +
            (manifest.signed_by.empty() ? "not signed" : "signed by " + manifest.signed_by) +
            ", and this host signs with " + sign::to_string(own->id()),
        "rewrap it on the host that made it; where that is this one, and it had that key before, "
        "name the key: --public-key; the key of a host that is gone is in the host state of each "
        "of its sets: docs/rotate-the-age-key.md"};
  }
  return {};
}

Status check_space(Directory& directory, const BackupSet& set) {
  return check_free_space(directory, set.size_bytes + k_margin_bytes, "new recipients for a set");
}

/// By its header alone. Errors: those of unwrap_header, of Fs.
Status check_opens(Directory& directory,
                   const std::string& name,
                   std::span<const age::Identity> identities) {
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_read(name));
  StartSource start(*file);
  age::BufferedSource source(start);
  age::DecryptFailure failure = age::DecryptFailure::none;
  auto header = age::unwrap_header(source, {identities, {}}, failure);
  return header ? Status() : Status(with_way_out(std::move(header).error(), failure).within(name));
}

/// Where it still says what the old manifest said.
Status follow_with_stamp(Directory& directory,
                         const Manifest& before,
                         const Manifest& now,
                         const sign::SigningKey& key) {
  const auto text = read_text(directory, std::string(k_stamp_name), k_stamp_limit_bytes);
  if (!text) {
    const bool none = text.error().code == ErrorCode::not_found ||
                      text.error().code == ErrorCode::unsupported; // a link is not ours
    return none ? Status() : Status(text.error());
  }
  return *text == stamp_text(before) ? write_stamp(directory, now, key) : Status();
}

Status follow_with_guide(Directory& directory,
                         const Manifest& before,
                         const Manifest& now,
                         const sign::SigningKey& key) {
  const std::string name(k_guide_name);
  const sign::PublicKey& own = key.public_key();
  const SignedFile there = judge_signed_file(directory, name, std::span(&own, 1));
  if (there.trust == FileTrust::unreadable) {
    return Error{ErrorCode::io, there.message, {}};
  }
  if (there.trust != FileTrust::genuine) {
    return {}; // the host signs no page that it did not write
  }
  RB_TRY_ASSIGN(std::string text, read_text(directory, name, k_guide_limit_bytes));
  const auto followed = guide_after_rewrap(std::move(text), before, now);
  return followed ? write_signed_file(directory, name, as_bytes(*followed), key) : Status();
}

/// What lies beside the sets speaks of the files of `now` before those of `before` go.
Status replace_generation(Directory& directory,
                          const Manifest& before,
                          const Manifest& now,
                          const sign::SigningKey& key) {
  RB_TRY(follow_with_stamp(directory, before, now, key));
  RB_TRY(follow_with_guide(directory, before, now, key));
  return remove_generation(directory, {before.run_id, before.generation()});
}

/// The generations of `set` that have files and do not count.
std::set<unsigned> others_of(const std::vector<DirectoryEntry>& entries, const BackupSet& set) {
  std::set<unsigned> others;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    const bool of_set = info.kind == NameKind::artifact || info.kind == NameKind::signature ||
                        info.kind == NameKind::manifest;
    if (entry.regular && of_set && info.run_id == set.run_id && info.generation != set.generation) {
      others.insert(info.generation);
    }
  }
  return others;
}

Status finish_one(Directory& directory,
                  const BackupSet& set,
                  unsigned generation,
                  const sign::SigningKey& key) {
  if (generation > set.generation) { // its manifest was never written
    return remove_generation(directory, {set.run_id, generation});
  }
  if (set.state == SetState::damaged || !set.manifest) {
    return {};
  }
  const auto text = read_manifest_text(directory, set.run_id, generation);
  if (!text && text.error().code != ErrorCode::not_found) {
    return text.error();
  }
  const auto before =
      text ? parse_manifest_of(set.run_id, generation, *text) : Result<Manifest>(text.error());
  return before ? replace_generation(directory, *before, *set.manifest, key)
                : remove_generation(directory, {set.run_id, generation});
}

} // namespace

const age::Identity* opener_of(Directory& directory,
                               const Manifest& manifest,
                               std::span<const age::Identity> identities) {
  const auto opens = [&](const age::Identity& identity) {
    return std::ranges::all_of(manifest.artifacts, [&](const api::ArtifactStatus& artifact) {
      return check_opens(directory, artifact.file_name, std::span(&identity, 1)).has_value();
    });
  };
  const auto found = std::ranges::find_if(identities, opens);
  return found == identities.end() ? nullptr : &*found;
}

Status check_rewrap(Directory& directory,
                    const BackupSet& set,
                    std::span<const age::Identity> identities,
                    const RewrapOrder& order,
                    const sign::PublicKey* own) {
  RB_TRY(check_order(set, order, own));
  for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
    RB_TRY(check_opens(directory, artifact.file_name, identities));
  }
  return check_space(directory, set);
}

Result<Rewrapped> rewrap_set(Directory& directory,
                             const BackupSet& set,
                             std::span<const age::Identity> identities,
                             const RewrapOrder& order,
                             const sign::SigningKey& key,
                             SystemTime now,
                             const CheckHooks& hooks) {
  RB_TRY(check_order(set, order, &key.public_key()));
  RB_TRY(check_space(directory, set));
  Manifest next = next_manifest(set, order, key, now);
  const Job job{directory, set, identities, order, hooks, next.generation()};
  const auto write = [&]() -> Status {
    for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
      RB_TRY_ASSIGN(api::ArtifactStatus rewrapped, job.rewrap(artifact));
      next.artifacts.push_back(std::move(rewrapped));
    }
    RB_TRY(write_signed_manifest(directory, next, key));
    return {};
  };
  if (Status written = write(); !written) {
    // Best effort: finish_rewraps removes what stays.
    static_cast<void>(remove_generation(directory, {set.run_id, next.generation()}));
    return std::move(written).error();
  }
  Rewrapped done{std::move(next), std::nullopt};
  if (Status replaced = replace_generation(directory, *set.manifest, done.manifest, key);
      !replaced) {
    done.unfinished = std::move(replaced).error();
  }
  return done;
}

Status finish_rewraps(Directory& directory, const sign::SigningKey& key) {
  RB_TRY_ASSIGN(const std::vector<BackupSet> sets, list_sets(directory));
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, directory.fs().list());
  const sign::PublicKey& own = key.public_key();
  const auto verdicts = judge_catalogue(sets, std::span(&own, 1));
  Status first;
  for (const BackupSet& set : sets) {
    if (!set.manifest_digests) {
      continue; // its run was cut off
    }
    const bool of_host = is_of_host(verdicts.at(set.run_id).verdict);
    for (const unsigned generation : others_of(entries, set)) {
      if (generation < set.generation && !of_host) {
        continue; // put there by somebody: it takes nothing away, and gets no stamp of the host's
      }
      Status ended = finish_one(directory, set, generation, key);
      if (!ended && first) {
        first = std::move(ended);
      }
    }
  }
  return first;
}

} // namespace rb::set
