// Files beside the sets that have a signature of their own: the program that an operator runs as
// root, the guide that is followed, the image that a restored host runs, and the stamp that scripts
// read. No manifest vouches for them, since they are replaced after it is written.
// docs/artifact-format.md, "Files with a signature of their own". Written by signed_write.hpp.
#pragma once

#include "set/catalogue.hpp"
#include "set/names.hpp"

#include "base/durable_file.hpp"

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rb::set {

inline constexpr std::array<std::string_view, 4> k_signed_files{
    k_tool_name, k_guide_name, k_image_name, k_stamp_name};

/// The largest one that is looked into.
inline constexpr std::uint64_t k_signed_file_limit_bytes = 256ULL << 20U;

enum class FileTrust {
  absent,            ///< There is no such file.
  genuine,           ///< Signed under this name by a trusted key.
  not_signed,        ///< No signature, and no set says that there was one: an older release.
  unproven,          ///< Signed, and no key is known to check it with.
  unreadable,        ///< The disk says why.
  signature_missing, ///< No signature, though a set of this host says that there is one.
  other_key,         ///< Signed by a key that is not trusted.
  tampered,          ///< The signature is not that of this file, or this is no file at all.
};

/// "absent", "good", "not signed", "not proven", "unreadable", "signature missing", "other key",
/// "BAD".
[[nodiscard]] std::string_view to_string(FileTrust trust);

/// Somebody had a hand in it: exit code 6.
[[nodiscard]] bool is_tampering(FileTrust trust);

struct SignedFile {
  std::string name;
  FileTrust trust = FileTrust::absent;
  std::string message; ///< For people; empty when absent or genuine.
};

/// One of k_signed_files, as far as it and its signature say.
[[nodiscard]] SignedFile judge_signed_file(Directory& directory,
                                           std::string_view name,
                                           std::span<const sign::PublicKey> trusted);

/// All of k_signed_files. What the manifests of genuine sets say was signed must be so.
[[nodiscard]] std::vector<SignedFile>
judge_signed_files(Directory& directory,
                   const std::vector<BackupSet>& sets,
                   const std::map<std::string, SetProvenance>& verdicts,
                   std::span<const sign::PublicKey> trusted);

/// For a manifest: those that are signed by `own`, or not there at all, so that one which comes to
/// lie there without a signature is not the host's.
[[nodiscard]] std::vector<std::string> files_vouched_for(Directory& directory,
                                                         const sign::PublicKey& own);

/// The copy has its name only when a signature by one of `trusted` holds for just those bytes.
/// Errors: not_found, corrupt (no such signature), unsupported (too large), those of Fs.
[[nodiscard]] Status copy_genuine_file(Directory& from,
                                       std::string_view name,
                                       std::span<const sign::PublicKey> trusted,
                                       Fs& to,
                                       DurableOrder order);

/// The signature under "<name>.minisig.next" is the one that holds: a crash came before it took its
/// place.
[[nodiscard]] bool
is_vouched_by_next(Directory& directory, const std::string& name, const sign::PublicKey& key);

/// What the trusted comment of a file's signature says, so that no signed file passes for another.
[[nodiscard]] std::string comment_of_file(std::string_view name);

} // namespace rb::set
