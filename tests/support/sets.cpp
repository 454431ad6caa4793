#include "support/sets.hpp"

#include "set/directory.hpp"
#include "set/names.hpp"

#include <sstream>

namespace rb::test {

using api::ArtifactType;
using set::Manifest;

std::string run_id_of_day(int days) {
  return format_run_id(parse_run_id("20260101T000000Z").value() + std::chrono::days(days));
}

Bytes content_of(ArtifactType type, const std::string& run_id) {
  const std::string text =
      std::string(api::stored_word(type, api::DatastoreKind::etcd)) + " of " + run_id;
  Bytes content;
  for (int i = 0; i < 20; ++i) {
    content.insert(content.end(), text.begin(), text.end());
  }
  return content;
}

Manifest make_manifest(const std::string& run_id, bool complete) {
  Manifest manifest;
  manifest.run_id = run_id;
  manifest.complete = complete;
  manifest.start_time = parse_run_id(run_id).value();
  manifest.completion_time = manifest.start_time + std::chrono::seconds(3);
  manifest.generator = "railiance-backup 0.1.0";
  manifest.cluster_backup_name = "nightly";
  manifest.cluster_backup_uid = "6d3b1b1e-5a2b-4f3c-9c55-0d9a1f2b3c4d";
  manifest.node_name = "server-1";
  manifest.node_address = "10.0.0.1";
  manifest.k3s_version = "v1.34.4+k3s1";
  manifest.token_hash = "0123456789ab";
  manifest.recipients = {"age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"};
  manifest.recipient_rule = "creation rule 1 (for every path)";
  manifest.not_covered = set::default_not_covered();
  for (const ArtifactType type : api::k_all_artifacts) {
    manifest.requested.push_back(type);
    if (!complete && type == ArtifactType::helm_values) {
      manifest.missing.push_back(
          {type, api::Reason::helm_failed, "the releases could not be listed"});
      continue;
    }
    const Bytes content = content_of(type, run_id);
    manifest.artifacts.push_back(
        {type, api::file_name(type, run_id), content.size(), to_hex(sha256(content))});
  }
  set::SnapshotRecord snapshot;
  snapshot.name = "railiance-" + run_id + "-server-1-1795348336";
  snapshot.size_bytes = 20512;
  snapshot.file_sha256 = std::string(64, 'a');
  snapshot.content_sha256 = std::string(64, 'b');
  snapshot.revision = 4711;
  snapshot.total_keys = 815;
  snapshot.hash = 3574781537;
  snapshot.storage_version = "3.6.0";
  snapshot.objects = {{"pods", 12}, {"secrets", 7}};
  snapshot.bootstrap_hashes = {"0123456789ab"};
  manifest.snapshot = snapshot;
  manifest.helm =
      api::HelmStatus{25, {{"shop", "secret/sh.helm.release.v1.bad.v1", "not gzip"}}, 1};
  return manifest;
}

Status store_set(set::Directory& directory, const Manifest& manifest) {
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    RB_TRY_ASSIGN(auto writer, set::ArtifactWriter::create(directory, artifact.file_name));
    RB_TRY(writer.write(content_of(artifact.type, manifest.run_id)));
    RB_TRY(writer.commit());
  }
  return write_manifest(directory, manifest);
}

Status write_manifest(set::Directory& directory, const Manifest& manifest) {
  RB_TRY_ASSIGN(auto writer,
                set::ArtifactWriter::create(directory, set::manifest_name(manifest.run_id)));
  RB_TRY(writer.write(as_bytes(set::serialize(manifest))));
  const auto written = writer.commit();
  return written ? Status() : Status(written.error());
}

std::vector<std::string> altered_files(set::Directory& directory, const Manifest& manifest) {
  std::vector<std::string> altered;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    const auto file = directory.fs().open_uncached(artifact.file_name);
    const auto content = file ? digest_of(**file) : Result<ContentDigest>(file.error());
    if (!content) {
      altered.push_back(artifact.file_name + ": " + content.error().message);
    } else if (content->size_bytes != artifact.size_bytes ||
               to_hex(content->sha256) != artifact.sha256) {
      altered.push_back(artifact.file_name + ": another size or digest than in the manifest");
    }
  }
  return altered;
}

Result<std::map<std::string, std::string>> read_stamp(set::Directory& directory) {
  RB_TRY_ASSIGN(const auto file, directory.fs().open_read(std::string(set::k_stamp_name)));
  Bytes buffer(64U << 10U);
  RB_TRY_ASSIGN(const std::size_t got, file->read(buffer));
  std::map<std::string, std::string> values;
  const Error damaged{ErrorCode::corrupt, "the stamp is damaged", {}};
  std::istringstream lines{std::string(as_text(ByteView(buffer).first(got)))};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || lines.eof()) {
      return damaged;
    }
    values[line.substr(0, equals)] = line.substr(equals + 1);
  }
  if (!parse_run_id(values["run_id"]) || !parse_rfc3339(values["time"])) {
    return damaged;
  }
  for (const char* const key : {"etcd_revision", "etcd_total_keys", "size_bytes"}) {
    if (values[key].empty() || values[key].find_first_not_of("0123456789") != std::string::npos) {
      return damaged;
    }
  }
  return values;
}

} // namespace rb::test
