#include "agent/host/host_key.hpp"

#include "set/directory.hpp"
#include "set/names.hpp"
#include "sign/signing_key.hpp"

#include "base/durable_file.hpp"
namespace rb::agent {

namespace {

constexpr std::size_t k_pub_limit_bytes = 4096;

constexpr std::string_view k_part_begin = "signing.key.";

/// Under a name of its own first: another agent may be at it, too.
Status make(set::Directory& directory) {
  Fs& fs = directory.fs();
  RB_TRY_ASSIGN(const sign::SigningKey key, sign::SigningKey::generate());
  RB_TRY_ASSIGN(const SecretBytes pem, key.to_pem());
  DurableOrder order;
  order.name = std::string(k_signing_key_name);
  order.part = std::string(k_part_begin) + sign::to_string(key.public_key().id()) +
               std::string(set::k_part_suffix);
  Status named = write_durably(fs, std::move(order), pem.view());
  if (named) {
    return {};
  }
  // The other one was faster, and has cleared up ours.
  const bool beaten =
      named.error().code == ErrorCode::already_exists || named.error().code == ErrorCode::not_found;
  return beaten ? Status() : named;
}

/// Keys that were never used: of a crash, or of an agent that came second.
void remove_parts(set::Directory& directory) {
  const auto entries = directory.fs().list();
  if (!entries) {
    return;
  }
  for (const DirectoryEntry& entry : *entries) {
    if (entry.name.starts_with(k_part_begin) && entry.name.ends_with(set::k_part_suffix)) {
      static_cast<void>(directory.fs().remove(entry.name));
    }
  }
}

/// Empty where there is none, or none that is a file.
std::string text_of(set::Directory& directory, const std::string& name) {
  const auto file = directory.fs().open_read(name);
  std::string text(k_pub_limit_bytes, '\0');
  const auto got = file ? (*file)->read(MutableByteView(
                              reinterpret_cast<std::uint8_t*>(text.data()), text.size()))
                        : Result<std::size_t>(file.error());
  text.resize(got ? *got : 0);
  return text;
}

Status put_public(set::Directory& directory, const sign::PublicKey& key) {
  const std::string name(k_signing_pub_name);
  return text_of(directory, name) == key.file()
             ? Status()
             : set::replace_file(directory, name, as_bytes(key.file()));
}

Status keep_public(set::Directory& directory, const sign::PublicKey& key) {
  RB_TRY(put_public(directory, key));
  RB_TRY_ASSIGN(set::Directory apart,
                set::Directory::open(directory.path() + "/" + std::string(k_public_dir_name)));
  return put_public(apart, key);
}

} // namespace

Result<sign::SigningKey> host_key(const std::string& key_dir) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(key_dir));
  const std::string path = directory.path() + "/" + std::string(k_signing_key_name);
  auto key = sign::read_key_file(path);
  if (!key && key.error().code == ErrorCode::not_found) {
    RB_TRY(make(directory));
    key = sign::read_key_file(path);
  }
  if (key) {
    remove_parts(directory);
    RB_TRY(keep_public(directory, key->public_key()));
  }
  return key;
}

Result<std::optional<std::string>> publish_key(set::Directory& directory,
                                               const sign::PublicKey& key) {
  const std::string name(set::k_public_key_name);
  const std::string there = text_of(directory, name);
  std::optional<std::string> replaced;
  if (there == key.file()) {
    return replaced;
  }
  if (const auto other = sign::PublicKey::parse(there); other && !(*other == key)) {
    replaced = sign::to_string(other->id());
    Status kept = directory.fs().rename_new(name, set::old_public_key_name(*replaced));
    if (!kept && kept.error().code != ErrorCode::already_exists) {
      return std::move(kept).error();
    }
  }
  RB_TRY(set::replace_file(directory, name, as_bytes(key.file())));
  return replaced;
}

} // namespace rb::agent
