#include "support/backup_fixture.hpp"

#include "datastore/etcd/snapshot.hpp"
#include "k3s/token.hpp"
#include "restore/commands.hpp"
#include "support/bolt_builder.hpp"
#include "support/sets.hpp"

#include "age/file.hpp"
#include "archive/tar_gz.hpp"
#include "base/json_fields.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>

namespace rb::test {

using api::ArtifactType;
using set::Directory;
using set::Manifest;

namespace {

class FixedClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return parse_run_id("20260110T030000Z").value(); }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return {}; }
};

std::string to_string(ByteView bytes) {
  return std::string(as_text(bytes));
}

std::string snapshot() {
  Entries revisions;
  for (std::uint64_t i = 0; i < 400; ++i) {
    revisions.emplace_back(
        revision_key(i + 2, 0),
        key_value("/registry/pods/p" + std::to_string(i % 300), std::string(400, 'x')));
  }
  revisions.emplace_back(revision_key(402, 0), key_value("/bootstrap/" + k3s::token_hash(k_token)));
  return to_string(with_trailer(make_bolt(etcd_buckets(revisions))));
}

std::string helm_values() {
  return tar_gz(
      {{"shop/web.yaml", "replicas: 3\n"},
       {"index.json",
        R"({"format": "railiance-backup/helm-values/v1", "releases": [{"namespace": "shop",
                      "name": "web", "chart": {"name": "nginx", "version": "15.1.0"},
                      "status": "deployed", "file": "shop/web.yaml"}], "undecodable": []})"}});
}

std::string kubeconfig() {
  const std::string pem =
      to_base64(as_bytes("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"));
  return "apiVersion: v1\nkind: Config\nclusters:\n- name: default\n  cluster:\n"
         "    server: https://127.0.0.1:6443\n    certificate-authority-data: " +
         pem + "\nusers:\n- name: default\n  user:\n    client-certificate-data: " + pem +
         "\n    client-key-data: " + pem + "\n";
}

set::SnapshotRecord record_of(const std::string& snapshot_bytes) {
  etcd::TrailerCheck check;
  check.update(as_bytes(snapshot_bytes));
  const auto digests = check.finish().value();
  rb::MemoryReader reader(as_bytes(snapshot_bytes));
  const auto info = etcd::inspect(reader).value();
  set::SnapshotRecord record;
  record.name = "railiance-x";
  record.size_bytes = digests.size_bytes;
  record.file_sha256 = to_hex(digests.file);
  record.content_sha256 = to_hex(digests.content);
  record.revision = info.revision;
  record.total_keys = static_cast<std::int64_t>(info.total_keys);
  record.hash = info.hash;
  return record;
}

} // namespace

std::string tar_gz(const std::vector<std::pair<std::string, std::string>>& files) {
  std::vector<archive::Entry> entries;
  for (const auto& [path, content] : files) {
    entries.emplace_back();
    entries.back().path = path;
    entries.back().content = SecretBytes(as_bytes(content));
  }
  return to_string(archive::write_tar_gz(entries).value().view());
}

std::string host_state(const std::string& token) {
  return tar_gz({{"var/lib/rancher/k3s/server/token", token + "\n"},
                 {"etc/rancher/k3s/config.yaml", "cluster-init: true\n"},
                 {"host.json",
                  R"({"schema": "railiance.io/host-state/v1", "k3sVersion": "v1.34.4+k3s1",
                      "dataDir": "/var/lib/rancher/k3s"})"}});
}

std::string plaintext_of(ArtifactType type) {
  switch (type) {
  case ArtifactType::datastore:
    return snapshot();
  case ArtifactType::helm_values:
    return helm_values();
  case ArtifactType::host_state:
    return host_state(k_token);
  case ArtifactType::kubeconfig:
    return kubeconfig();
  }
  return {};
}

BackupFixture::BackupFixture()
    : m_identity(age::Identity::generate().value()),
      m_signing_key(sign::SigningKey::generate().value()) {
  const auto text = [](const age::Identity& identity) {
    return "# created: today\n" + std::string(identity.text().text()) + "\n";
  };
  write_file(keys(), text(m_identity));
  write_file(other_keys(), text(age::Identity::generate().value()));
  static_cast<void>(Directory::open(backups()).value());
  host_public_key = file("signing.pub");
  write_file(host_public_key, m_signing_key.public_key().file());
  write_file(backups() + "/railiance-backup.pub", m_signing_key.public_key().file());
}

void BackupFixture::be_the_host() {
  host_signing_key = file("signing.key");
  write_file(host_signing_key, std::string(m_signing_key.to_pem().value().text()));
  std::filesystem::permissions(
      host_signing_key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

std::string BackupFixture::artifact(ArtifactType type, const std::string& run_id) const {
  return backups() + "/" + api::file_name(type, run_id);
}

std::string BackupFixture::encrypt(const std::string& plaintext) const {
  const std::array<age::Recipient, 1> recipients{m_identity.recipient()};
  return to_string(age::encrypt_bytes(as_bytes(plaintext), recipients).value());
}

Manifest BackupFixture::store(Manifest manifest) {
  manifest.token_hash = k3s::token_hash(k_token);
  if (manifest.helm) {
    manifest.helm->releases = 1;
  }
  for (api::ArtifactStatus& artifact : manifest.artifacts) {
    const std::string plain = plaintext_of(artifact.type);
    const std::string sealed = encrypt(plain);
    write_file(backups() + "/" + artifact.file_name, sealed);
    artifact.size_bytes = sealed.size();
    artifact.sha256 = to_hex(sha256(as_bytes(sealed)));
    if (artifact.type == ArtifactType::datastore) {
      manifest.snapshot = record_of(plain);
    }
  }
  manifest.signed_by = sign::to_string(m_signing_key.public_key().id());
  sign(manifest);
  return manifest;
}

void BackupFixture::sign(const Manifest& manifest, const sign::SigningKey& key) const {
  const std::string text = set::serialize(manifest);
  const auto signature = key.sign(as_bytes(text), "railiance-backup run=test").value();
  write_file(manifest_file(manifest.run_id), text);
  write_file(manifest_file(manifest.run_id) + ".minisig", sign::serialize(signature));
}

Manifest BackupFixture::add_set(const std::string& run_id) {
  return store(make_manifest(run_id));
}

Manifest BackupFixture::add_incomplete_set(const std::string& run_id) {
  return store(make_manifest(run_id, false));
}

void BackupFixture::replace_content(ArtifactType type,
                                    const std::string& run_id,
                                    const std::string& plain) {
  const std::string sealed = encrypt(plain);
  write_file(artifact(type, run_id), sealed);
  const std::string path = backups() + "/manifest-" + run_id + ".json";
  Manifest manifest = set::parse_manifest(read_file(path)).value();
  for (api::ArtifactStatus& artifact : manifest.artifacts) {
    if (artifact.type == type) {
      artifact.size_bytes = sealed.size();
      artifact.sha256 = to_hex(sha256(as_bytes(sealed)));
    }
  }
  sign(manifest);
}

Outcome BackupFixture::run(std::vector<std::string> args, const std::string& in) {
  if (std::find(args.begin(), args.end(), "--backup-dir") == args.end()) {
    args.insert(args.begin(), {"--backup-dir", backups()});
  }
  std::istringstream input(in);
  std::ostringstream out;
  std::ostringstream err;
  const FixedClock clock;
  restore::Io io{{"railiance-restore", out, err, clock}, input};
  io.host_public_key = host_public_key;
  io.default_backup_dir = default_backup_dir;
  io.says_default_backup_dir = says_default_backup_dir;
  io.host_signing_key = host_signing_key;
  io.restore_lock = restore_lock;
  io.scratch_record = scratch_record;
  io.key_environment.keys = SecretBytes(as_bytes(sops_key));
  io.key_environment.key_file = sops_key_file;
  io.key_environment.key_command = sops_key_command;
  io.key_environment.user_file = default_identity_file;
  io.key_environment.ssh_key_file = ssh_key_file;
  io.key_environment.ssh_key_command = ssh_key_command;
  io.key_environment.user_ssh_key = user_ssh_key;
  io.key_environment.all = {"PATH=/usr/bin:/bin", "OWN=1"};
  if (!sudo_user.empty()) {
    io.key_environment.all.push_back("SUDO_USER=" + sudo_user);
  }
  if (!passphrases.empty()) {
    io.ask_secret = [this](const std::string& question) -> Result<SecretBytes> {
      questions.push_back(question);
      if (passphrases.empty()) {
        return Error{ErrorCode::cancelled, "no passphrase was given", {}};
      }
      SecretBytes typed(as_bytes(passphrases.front()));
      passphrases.erase(passphrases.begin());
      return typed;
    };
  }
  io.out_is_terminal = out_is_terminal;
  const int code = restore::run(args, io);
  return {code, out.str(), err.str()};
}

nlohmann::json BackupFixture::run_json(std::vector<std::string> args) {
  args.insert(args.end(), {"--output", "json"});
  return json_of(run(std::move(args)).out);
}

} // namespace rb::test
