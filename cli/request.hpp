// Puts a ClusterBackup into the cluster, once, although a POST may arrive twice.
#pragma once

#include "cli/io.hpp"
#include "cli/options.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace rb::cli {

/// Says which call made an object: the same value in what we sent and in what is there means that
/// it is ours, although the server answered "exists already".
inline constexpr std::string_view k_request_annotation = "backup.railiance.io/request-id";

/// The object to be sent. Absent fields take the CRD's defaults.
[[nodiscard]] nlohmann::json
backup_object(const CreateCommand& command, const std::string& name, const std::string& request_id);

/// "manual-20261122t115216z", and "-2", "-3" … behind it for the next attempts.
[[nodiscard]] std::string default_name(SystemTime now, unsigned attempt);

struct Requested {
  nlohmann::json object; ///< As the server has it.
  bool attached = false; ///< It was there before (--attach).
};

/// Errors: already_exists (a given name, without --attach), and those of kube::Client::create with
/// a hint where the CRD is missing.
[[nodiscard]] Result<Requested>
request_backup(kube::Client& client, const CreateCommand& command, const Io& io);

} // namespace rb::cli
