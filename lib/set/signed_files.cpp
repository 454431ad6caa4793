#include "set/signed_files.hpp"

#include "sign/minisign.hpp"

#include <algorithm>
#include <optional>

namespace rb::set {

namespace {

constexpr std::size_t k_buffer_bytes = 256U << 10U;

/// `take` gets all of it.
template <typename Take>
Result<sign::Blake2bDigest> read_through(File& file, std::string_view name, Take take) {
  Bytes buffer(k_buffer_bytes);
  sign::Blake2b hash;
  for (std::uint64_t size = 0;;) {
    RB_TRY_ASSIGN(const std::size_t got, file.read(buffer));
    size += got;
    if (size > k_signed_file_limit_bytes) {
      return Error{ErrorCode::unsupported, std::string(name) + ": too large to be of the host", {}};
    }
    hash.update(ByteView(buffer).first(got));
    RB_TRY(take(ByteView(buffer).first(got)));
    if (got < buffer.size()) {
      return hash.digest();
    }
  }
}

Result<sign::Blake2bDigest> digest_of_file(File& file, std::string_view name) {
  return read_through(file, name, [](ByteView) { return Status(); });
}

/// Nothing where there is none; one that cannot be read or parsed holds for nothing.
std::optional<Result<sign::Signature>> signature_at(Directory& directory, const std::string& name) {
  const auto text = read_text(directory, name, sign::k_signature_limit_bytes + 1);
  if (!text && text.error().code == ErrorCode::not_found) {
    return std::nullopt;
  }
  return text ? sign::parse_signature(*text) : Result<sign::Signature>(text.error());
}

bool holds(const std::optional<Result<sign::Signature>>& signature,
           std::string_view name,
           const sign::Blake2bDigest& digest,
           std::span<const sign::PublicKey> trusted) {
  return signature && *signature && (*signature)->trusted_comment == comment_of_file(name) &&
         std::ranges::any_of(trusted, [&](const sign::PublicKey& key) {
           return sign::verifies(**signature, digest, key);
         });
}

/// What is there is none: text of another kind, or no file.
bool is_no_signature(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::unsupported;
}

SignedFile unreadable(SignedFile file, const Error& error) {
  // A link, a directory, a device, or something far too large: nothing that the host puts there.
  file.trust = error.code == ErrorCode::unsupported ? FileTrust::tampered : FileTrust::unreadable;
  file.message = error.message;
  return file;
}

} // namespace

std::string comment_of_file(std::string_view name) {
  return "railiance-backup file=" + std::string(name);
}

std::string_view to_string(FileTrust trust) {
  switch (trust) {
  case FileTrust::absent:
    return "absent";
  case FileTrust::genuine:
    return "good";
  case FileTrust::not_signed:
    return "not signed";
  case FileTrust::unproven:
    return "not proven";
  case FileTrust::unreadable:
    return "unreadable";
  case FileTrust::signature_missing:
    return "signature missing";
  case FileTrust::other_key:
    return "other key";
  case FileTrust::tampered:
    return "BAD";
  }
  return "";
}

bool is_tampering(FileTrust trust) {
  return trust == FileTrust::signature_missing || trust == FileTrust::other_key ||
         trust == FileTrust::tampered;
}

SignedFile judge_signed_file(Directory& directory,
                             std::string_view name,
                             std::span<const sign::PublicKey> trusted) {
  SignedFile judged{std::string(name), FileTrust::absent, {}};
  const auto file = directory.fs().open_read(judged.name);
  if (!file) {
    return file.error().code == ErrorCode::not_found ? judged : unreadable(judged, file.error());
  }
  const auto digest = digest_of_file(**file, name);
  if (!digest) {
    return unreadable(judged, digest.error());
  }
  const auto own = signature_at(directory, judged.name + std::string(k_signature_suffix));
  const auto next = signature_at(directory, judged.name + std::string(k_next_signature_suffix));
  if (holds(own, name, *digest, trusted) || holds(next, name, *digest, trusted)) {
    judged.trust = FileTrust::genuine;
    return judged;
  }
  for (const auto& signature : {own, next}) {
    if (signature && !*signature && !is_no_signature(signature->error())) {
      return unreadable(judged, signature->error()); // a failing disk is nobody's hand
    }
  }
  if (!own) {
    judged.trust = FileTrust::not_signed;
    judged.message = "it has no signature; an older release wrote none";
    return judged;
  }
  const bool unknown_key = *own && std::ranges::none_of(trusted, [&](const sign::PublicKey& key) {
    return key.id() == (*own)->key_id;
  });
  if (trusted.empty()) {
    judged.trust = FileTrust::unproven;
    judged.message = "no public key is known to check it with";
  } else if (unknown_key) {
    judged.trust = FileTrust::other_key;
    judged.message = "signed by another key: " + sign::to_string((*own)->key_id);
  } else {
    judged.trust = FileTrust::tampered;
    judged.message = *own ? "the signature is not that of this file: somebody replaced it"
                          : "its signature cannot be read: " + own->error().message;
  }
  return judged;
}

Status copy_genuine_file(Directory& from,
                         std::string_view name,
                         std::span<const sign::PublicKey> trusted,
                         Fs& to,
                         DurableOrder order) {
  const std::string own(name);
  RB_TRY_ASSIGN(const std::unique_ptr<File> source, from.fs().open_read(own));
  RB_TRY_ASSIGN(DurableFile copy, DurableFile::create(to, std::move(order)));
  RB_TRY_ASSIGN(const sign::Blake2bDigest digest,
                read_through(*source, name, [&](ByteView bytes) { return copy.write(bytes); }));
  const bool genuine =
      holds(signature_at(from, own + std::string(k_signature_suffix)), name, digest, trusted) ||
      holds(signature_at(from, own + std::string(k_next_signature_suffix)), name, digest, trusted);
  if (!genuine) {
    return Error{ErrorCode::corrupt,
                 from.path() + "/" + own + ": it is not signed by a key that is trusted",
                 "look who can write there"};
  }
  const auto committed = copy.commit();
  return committed ? Status() : Status(committed.error());
}

std::vector<SignedFile> judge_signed_files(Directory& directory,
                                           const std::vector<BackupSet>& sets,
                                           const std::map<std::string, SetProvenance>& verdicts,
                                           std::span<const sign::PublicKey> trusted) {
  const auto was_signed = [&](const std::string& name) {
    return std::ranges::any_of(sets, [&](const BackupSet& set) {
      const auto verdict = verdicts.find(set.run_id);
      return verdict != verdicts.end() && is_of_host(verdict->second.verdict) && set.manifest &&
             std::ranges::find(set.manifest->signed_files, name) !=
                 set.manifest->signed_files.end();
    });
  };
  std::vector<SignedFile> files;
  for (const std::string_view name : k_signed_files) {
    SignedFile file = judge_signed_file(directory, name, trusted);
    if (file.trust == FileTrust::not_signed && was_signed(file.name)) {
      file.trust = FileTrust::signature_missing;
      file.message = "its signature was taken away, or somebody put another file there";
    }
    files.push_back(std::move(file));
  }
  return files;
}

std::vector<std::string> files_vouched_for(Directory& directory, const sign::PublicKey& own) {
  std::vector<std::string> names;
  for (const std::string_view name : k_signed_files) {
    const FileTrust trust = judge_signed_file(directory, name, std::span(&own, 1)).trust;
    if (trust == FileTrust::genuine || trust == FileTrust::absent) {
      names.emplace_back(name);
    }
  }
  return names;
}

bool is_vouched_by_next(Directory& directory, const std::string& name, const sign::PublicKey& key) {
  const auto next = signature_at(directory, name + std::string(k_next_signature_suffix));
  if (!next) {
    return false;
  }
  const auto file = directory.fs().open_read(name);
  const auto digest =
      file ? digest_of_file(**file, name) : Result<sign::Blake2bDigest>(file.error());
  return digest && holds(next, name, *digest, std::span(&key, 1));
}

} // namespace rb::set
