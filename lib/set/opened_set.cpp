#include "set/opened_set.hpp"

#include "datastore/datastore.hpp"
#include "set/age_reader.hpp"

#include "age/file.hpp"
#include "age/io.hpp"
#include "base/digest.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace rb::set {

using api::ArtifactType;

namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Error exists(const std::string& path) {
  return {ErrorCode::already_exists,
          path + ": exists",
          "choose another name, or replace it with --force"};
}

Result<api::ArtifactStatus> named_in(const Manifest& manifest, ArtifactType type) {
  const api::ArtifactStatus* const found = manifest.find(type);
  if (found == nullptr) {
    return Error{ErrorCode::not_found,
                 "set " + manifest.run_id + " has no " + std::string(api::to_string(type)),
                 "`railiance-restore show " + manifest.run_id +
                     "` says why; choose another set with `railiance-restore list`"};
  }
  return *found;
}

Error altered(const std::string& what) {
  return {ErrorCode::corrupt,
          what + " is not that of the manifest",
          "the file is damaged or was exchanged: use another copy of it, or another set"};
}

Status check_ciphertext(const api::ArtifactStatus& expected, std::uint64_t size, ByteView sha256) {
  if (size != expected.size_bytes) {
    return altered("its size of " + std::to_string(size) + " bytes");
  }
  return to_hex(sha256) == expected.sha256 ? Status() : altered("its SHA-256");
}

/// An error of a decryption, in the operator's words.
Error explained(Error error) {
  if (error.code == ErrorCode::no_matching_identity && error.hint.empty()) {
    error.hint = "it was encrypted to other recipients: `railiance-restore show` names them";
  } else if (error.code == ErrorCode::corrupt && error.hint.empty()) {
    error.hint = "the file is damaged: use another copy of it, or another set";
  }
  return error;
}

Result<SecretBytes> read_whole(File& file, const api::ArtifactStatus& expected) {
  RB_TRY_ASSIGN(const std::uint64_t size, file.size());
  if (size > k_memory_limit_bytes) {
    return Error{ErrorCode::unsupported, "too large to be opened in memory", {}};
  }
  SecretBytes bytes(static_cast<std::size_t>(size));
  RB_TRY_ASSIGN(const std::size_t got, file.read_at(0, bytes.span()));
  RB_TRY(check_ciphertext(expected, got, sha256(bytes.view().first(got))));
  return bytes;
}

/// The plaintext on its way to the file, looked at.
class ProvingSink final : public age::Sink {
public:
  /// `check`: of a copy of the datastore; null: nothing is looked at.
  ProvingSink(age::Sink& next, std::unique_ptr<datastore::CopyCheck> check)
      : m_next(next), m_check(std::move(check)) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    if (m_check) {
      m_check->update(bytes);
    }
    return m_next.write(bytes);
  }

  /// After the last byte.
  [[nodiscard]] Status finish(const Manifest& manifest) {
    if (!m_check) {
      return {};
    }
    RB_TRY_ASSIGN(const datastore::CopyDigests digests, m_check->finish());
    const auto& expected = manifest.snapshot;
    if (expected && (digests.size_bytes != expected->size_bytes ||
                     to_hex(digests.file) != expected->file_sha256)) {
      return altered("the snapshot's SHA-256");
    }
    return {};
  }

private:
  age::Sink& m_next;
  std::unique_ptr<datastore::CopyCheck> m_check;
};

Status decrypt_into(File& file,
                    const api::ArtifactStatus& expected,
                    age::Sink& sink,
                    std::span<const age::Identity> identities,
                    const std::stop_token& stop,
                    const OnProgress& on_progress) {
  Sha256 hash;
  std::uint64_t done = 0;
  age::StreamOptions options;
  options.stop = stop;
  options.on_ciphertext = [&](ByteView bytes) {
    hash.update(bytes);
    done += bytes.size();
    if (on_progress) {
      on_progress(done, expected.size_bytes);
    }
  };
  StartSource source(file);
  if (Status decrypted = age::decrypt(source, sink, identities, options); !decrypted) {
    return explained(std::move(decrypted).error());
  }
  return check_ciphertext(expected, done, hash.digest());
}

Status named(Status status, const std::string& name) {
  return status ? Status() : Status(std::move(status).error().within(name));
}

} // namespace

Result<OutputFile> OutputFile::create(const std::string& path, bool replace) {
  const std::string name = name_of(path);
  if (name.empty()) {
    return Error{ErrorCode::invalid_argument, path + ": not the name of a file", {}};
  }
  RB_TRY_ASSIGN(Directory directory, Directory::open_existing(directory_of(path)));
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!replace) {
      return exists(path);
    }
    if (!S_ISREG(status.st_mode)) {
      return Error{ErrorCode::already_exists, path + ": exists and is not a regular file", {}};
    }
  }
  DurableOrder order;
  order.name = name;
  order.part = "." + name + "." + std::to_string(::getpid()) + ".part";
  order.replace = replace;
  order.nameless = true;
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(directory.fs(), std::move(order)));
  return OutputFile(std::move(directory), path, std::move(file));
}

Status OutputFile::commit() {
  const auto committed = m_file.commit();
  if (committed) {
    return {};
  }
  return committed.error().code == ErrorCode::already_exists ? exists(m_path) : committed.error();
}

Result<SecretBytes> open_artifact(Directory& directory,
                                  const Manifest& manifest,
                                  ArtifactType type,
                                  std::span<const age::Identity> identities,
                                  const std::stop_token& stop) {
  RB_TRY_ASSIGN(const api::ArtifactStatus expected, named_in(manifest, type));
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_uncached(expected.file_name));
  const auto open = [&]() -> Result<SecretBytes> {
    RB_TRY_ASSIGN(const SecretBytes sealed, read_whole(*file, expected));
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped", {}};
    }
    return age::decrypt_bytes(sealed.view(), identities);
  };
  auto plain = open();
  if (!plain) {
    return explained(std::move(plain).error()).within(expected.file_name);
  }
  return plain;
}

Status decrypt_artifact_to(Directory& directory,
                           const Manifest& manifest,
                           ArtifactType type,
                           std::span<const age::Identity> identities,
                           const DecryptTarget& target,
                           const std::stop_token& stop,
                           const OnProgress& on_progress) {
  RB_TRY_ASSIGN(const api::ArtifactStatus expected, named_in(manifest, type));
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_uncached(expected.file_name));
  RB_TRY_ASSIGN(OutputFile out, OutputFile::create(target.path, target.replace));
  age::WriterSink sink(out);
  ProvingSink proving(sink,
                      type == ArtifactType::datastore
                          ? datastore::of(api::kind_of_file(expected.file_name)).make_check()
                          : nullptr);
  RB_TRY(named(decrypt_into(*file, expected, proving, identities, stop, on_progress),
               expected.file_name));
  RB_TRY(named(proving.finish(manifest), expected.file_name));
  return out.commit();
}

} // namespace rb::set
