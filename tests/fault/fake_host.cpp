#include "fault/fake_host.hpp"

#include "k3s/token.hpp"
#include "set/names.hpp"
#include "support/bolt_builder.hpp"

#include "age/file.hpp"
#include "base/digest.hpp"
#include "base/process.hpp"

#include <algorithm>

namespace rb::test {

namespace {

const std::string k_token = "K10abcdef::server:" + std::string(k_planted) + "\n";

Bytes encrypted_values(const age::Identity& identity) {
  const age::Recipient& recipient = identity.recipient();
  return age::encrypt_bytes(as_bytes("values"), std::span(&recipient, 1)).value();
}

} // namespace

FakeHost::FakeHost()
    : identity(age::Identity::generate().value()), m_values(encrypted_values(identity)) {
  settings = host_settings(scratch.path());
  clock.time = parse_run_id("20261122T020000Z").value();

  scratch.make_directory("bin");
  scratch.make_directory("data/server/db/etcd/member/wal");
  scratch.make_directory("data/server/db/snapshots");
  scratch.write("data/server/token", k_token);
  scratch.write("etc-rancher/k3s/k3s.yaml", "apiVersion: v1\nclusters: []\n");
  scratch.write("sops.yaml", "creation_rules:\n  - age: " + identity.recipient().text() + "\n");
  std::filesystem::copy_file(RB_SOURCE_DIR "/tests/fault/fake_k3s.sh", settings.k3s_program);
  scratch.write("payload", std::string(as_text(m_values)));
  use_snapshot(0);
}

void FakeHost::use_snapshot(std::size_t padding_bytes) const {
  constexpr std::size_t k_value_bytes = 16384;
  Entries revisions{
      {revision_key(2, 0), key_value("/bootstrap/" + k3s::token_hash(k_token), "b")},
      {revision_key(3, 0), key_value("/registry/secrets/a/b", std::string(k_planted))}};
  for (std::size_t i = 0; i < 16 + padding_bytes / k_value_bytes; ++i) {
    revisions.emplace_back(
        revision_key(4 + i, 0),
        key_value("/registry/pods/" + std::to_string(i), std::string(k_value_bytes, 'v')));
  }
  BoltOptions options;
  options.leaf_entries = 100;
  const Bytes file = with_trailer(make_bolt(etcd_buckets(std::move(revisions)), options));
  scratch.write("bin/snapshot", std::string(as_text(file)));
}

void FakeHost::use_sqlite(std::size_t padding_bytes) {
  constexpr std::size_t k_value_bytes = 16384;
  std::filesystem::remove_all(scratch.path("data/server/db/etcd"));
  std::filesystem::remove(scratch.path("bin/calls"));
  database = std::make_shared<KineDatabase>(scratch.path("data/server/db/state.db"));
  database->put("/bootstrap/" + token_hash(), "salt:secret");
  database->put("/registry/secrets/a/b", std::string(k_planted));
  database->put("/registry/pods/default/web", std::string(9000, 'v'));
  for (std::size_t i = 0; i < padding_bytes / k_value_bytes; ++i) {
    database->put("/registry/pods/" + std::to_string(i), std::string(k_value_bytes, 'v'));
  }
}

std::string FakeHost::token_hash() const {
  return k3s::token_hash(scratch.read("data/server/token"));
}

agent::RunOrder FakeHost::next_order() {
  clock.time += std::chrono::minutes(1);
  agent::RunOrder order;
  order.run_id = format_run_id(clock.time);
  order.cluster_backup_name = "nightly";
  order.cluster_backup_uid = "uid-of-" + order.run_id;
  order.artifacts.assign(api::k_all_artifacts.begin(), api::k_all_artifacts.end());
  order.helm_payload = api::HelmPayload{{"p-0"}, m_values.size(), to_hex(sha256(m_values))};
  order.helm = api::HelmStatus{1, {}, 0};
  return order;
}

agent::RunReport FakeHost::run(const agent::RunOrder& order) {
  const agent::RunControl control;
  return run(order, control);
}

agent::RunReport FakeHost::run(const agent::RunOrder& order, const agent::RunControl& control) {
  RealProcessRunner any_program;
  TrustedRunner processes(any_program);
  // The same encrypted Helm values for every run.
  RealWaiter waiter;
  agent::RunPorts ports{processes, clock, waiter, [this](const auto&, const auto&) {
                          return Result<Bytes>(m_values);
                        }};
  ports.prover = prover;
  return agent::run_backup(settings, order, ports, control);
}

std::map<std::string, std::string> FakeHost::backups() const {
  std::map<std::string, std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(settings.backup_dir, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool kit = set::classify_name(name).kind == set::NameKind::kit;
    if (name != "backup.log" && name != ".disk-id" && !kit && !name.starts_with(".unfinished-")) {
      std::ifstream file(entry.path(), std::ios::binary);
      files[name] = {std::istreambuf_iterator<char>(file), {}};
    }
  }
  return files;
}

std::vector<std::string> FakeHost::snapshots() const {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(scratch.path("data/server/db/snapshots"))) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

std::vector<std::string> FakeHost::leaks() const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path == scratch.path("bin/snapshot") ||
        path == scratch.path("data/server/token") ||
        path.starts_with(scratch.path("data/server/db/state.db"))) {
      continue;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (content.find(k_planted) != std::string::npos) {
      found.push_back(path);
    }
  }
  return found;
}

std::string FakeHost::opened(const std::string& file_name) const {
  std::ifstream file(settings.backup_dir + "/" + file_name, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  const auto plain = age::decrypt_bytes(as_bytes(content), std::span(&identity, 1));
  return plain ? std::string(plain->text()) : "not opened: " + plain.error().message;
}

std::vector<set::BackupSet> sets_of(const FakeHost& host) {
  set::Directory directory = set::Directory::open_existing(host.settings.backup_dir).value();
  return set::list_sets(directory).value();
}

bool is_untouched(const std::map<std::string, std::string>& before,
                  const std::map<std::string, std::string>& after) {
  return std::all_of(before.begin(), before.end(), [&after](const auto& file) {
    const auto it = after.find(file.first);
    return it != after.end() && it->second == file.second;
  });
}

} // namespace rb::test
