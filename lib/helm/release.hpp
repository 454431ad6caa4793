// A decoded release: what the backup keeps of it, and how it is decoded. No I/O.
#pragma once

#include "api/release_owner.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"
#include "helm/limits.hpp"
#include "helm/stored_release.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rb::helm {

/// What Helm noted of a release. Times are the text that it stored (RFC 3339). Empty where there is
/// none.
struct ReleaseFacts {
  std::string status; ///< "deployed", "failed", "pending-upgrade", …
  std::string first_deployed;
  std::string last_deployed;
  std::string deleted;
  std::string chart_name;
  std::string chart_version;
  std::string app_version;
};

/// Move-only.
struct Release : ReleaseFacts {
  ReleaseKey key; ///< As stored: the file is named after it.
  StorageKind kind = StorageKind::secret;
  std::string storage_object;

  /// As the record says of itself. Differs from `key` only where someone copied or edited it.
  ReleaseKey recorded;
  std::optional<api::ReleaseOwner> owner; ///< The controller that installs it, where one does.

  bool has_values = false; ///< The operator gave values (config is neither absent nor empty).
  SecretBytes values_yaml; ///< See values_yaml.hpp; never empty.
};

/// A stored object that gives no release: kept as it is. Move-only.
struct OddRelease : api::UndecodableRelease {
  SecretBytes raw; ///< What the object holds, as Helm or somebody else stored it; may be empty.
};

/// `api_data` is the value of key `release` as it stands in the API's JSON: for a Secret in the
/// API's base64, for a ConfigMap as Helm wrote it. The record is base64(gzip(JSON)) of Helm 3 or 4;
/// gzip is told by its magic, old records lack it.
///
/// The message begins with what is wrong: "bad base64", "bad gzip", "too large", "bad json",
/// "missing field", "unsafe name". Of the data it holds nothing but an unsafe name, made printable.
/// Errors: corrupt (base64, gzip, JSON), unsupported (a limit: gzip bomb, depth), incomplete (a
/// field is missing), invalid_argument (a name that may not become a file name).
[[nodiscard]] Result<Release>
decode_release(const StoredRelease& stored, std::string_view api_data, const Limits& limits = {});

/// As decode_release, when the API's base64 was removed already.
[[nodiscard]] Result<Release> decode_release_record(const StoredRelease& stored,
                                                    std::string_view record,
                                                    const Limits& limits = {});

/// The entry of the undecodable list for a release whose decoding failed with `error`.
[[nodiscard]] api::UndecodableRelease undecodable(const StoredRelease& stored, const Error& error);

/// The same with the object's bytes: `api_data` without the API's base64 where it has it. More than
/// max_stored_bytes are not kept.
[[nodiscard]] OddRelease odd_release(const StoredRelease& stored,
                                     std::string_view api_data,
                                     const Error& error,
                                     const Limits& limits = {});

} // namespace rb::helm
