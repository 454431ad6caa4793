#include "set/stamp.hpp"

#include "set/signed_files.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace rb::set {

namespace {

constexpr std::size_t k_stamp_limit_bytes = 64U << 10U;

/// Part of a shell variable's name.
std::string_view key_of(api::ArtifactType type) {
  switch (type) {
  case api::ArtifactType::etcd_snapshot:
    return "etcd_snapshot";
  case api::ArtifactType::helm_values:
    return "helm_values";
  case api::ArtifactType::kubeconfig:
    return "kubeconfig";
  case api::ArtifactType::host_state:
    return "host_state";
  }
  return "";
}

void put(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append("=").append(value).append("\n");
}

using Values = std::map<std::string, std::string, std::less<>>;

Values split(std::string_view text) {
  Values values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const std::size_t equals = line.find('='); equals != std::string_view::npos) {
      values[std::string(line.substr(0, equals))] = line.substr(equals + 1);
    }
  }
  return values;
}

Error malformed(std::string_view key) {
  return {ErrorCode::corrupt, std::string(k_stamp_name) + ": bad value of " + std::string(key), {}};
}

template <typename Number>
Status take_number(const Values& values, std::string_view key, Number& number) {
  const auto found = values.find(key);
  if (found == values.end()) {
    return malformed(key);
  }
  const char* const end = found->second.data() + found->second.size();
  const auto [rest, error] = std::from_chars(found->second.data(), end, number);
  if (error != std::errc() || rest != end) {
    return malformed(key);
  }
  return {};
}

} // namespace

Stamp make_stamp(const Manifest& manifest) {
  Stamp stamp;
  stamp.run_id = manifest.run_id;
  stamp.time = manifest.completion_time;
  if (manifest.snapshot) {
    stamp.etcd_revision = manifest.snapshot->revision;
    stamp.etcd_total_keys = manifest.snapshot->total_keys;
  }
  stamp.artifacts = manifest.artifacts;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    stamp.size_bytes += artifact.size_bytes;
  }
  return stamp;
}

std::string serialize(const Stamp& stamp) {
  std::string text;
  put(text, "run_id", stamp.run_id);
  put(text, "time", format_rfc3339(stamp.time));
  put(text, "etcd_revision", std::to_string(stamp.etcd_revision));
  put(text, "etcd_total_keys", std::to_string(stamp.etcd_total_keys));
  put(text, "size_bytes", std::to_string(stamp.size_bytes));
  for (const api::ArtifactStatus& artifact : stamp.artifacts) {
    const std::string key(key_of(artifact.type));
    put(text, "file_" + key, artifact.file_name);
    put(text, "bytes_" + key, std::to_string(artifact.size_bytes));
    put(text, "sha256_" + key, artifact.sha256);
  }
  return text;
}

Result<Stamp> parse_stamp(std::string_view text) {
  const Values values = split(text);
  const auto value_of = [&](std::string_view key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  Stamp stamp;
  stamp.run_id = value_of("run_id");
  if (!parse_run_id(stamp.run_id)) {
    return malformed("run_id");
  }
  const auto time = parse_rfc3339(value_of("time"));
  if (!time) {
    return malformed("time");
  }
  stamp.time = *time;
  RB_TRY(take_number(values, "etcd_revision", stamp.etcd_revision));
  RB_TRY(take_number(values, "etcd_total_keys", stamp.etcd_total_keys));
  RB_TRY(take_number(values, "size_bytes", stamp.size_bytes));
  for (const api::ArtifactType type : api::k_all_artifacts) {
    const std::string key(key_of(type));
    api::ArtifactStatus artifact{type, value_of("file_" + key), 0, value_of("sha256_" + key)};
    if (!artifact.file_name.empty()) {
      RB_TRY(take_number(values, "bytes_" + key, artifact.size_bytes));
      stamp.artifacts.push_back(std::move(artifact));
    }
  }
  return stamp;
}

Status write_stamp(Directory& directory, const Stamp& stamp, const sign::SigningKey& key) {
  return write_signed_file(directory, std::string(k_stamp_name), as_bytes(serialize(stamp)), key);
}

Result<Stamp> read_stamp(Directory& directory) {
  RB_TRY_ASSIGN(const std::unique_ptr<File> file,
                directory.fs().open_read(std::string(k_stamp_name)));
  Bytes buffer(k_stamp_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, file->read(buffer));
  return parse_stamp(as_text(ByteView(buffer).first(got)));
}

} // namespace rb::set
