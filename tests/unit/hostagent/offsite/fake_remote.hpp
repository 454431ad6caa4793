// A remote in memory that can fail, lie and be full; and a directory of sets beside it.
#pragma once

#include "offsite/remote_store.hpp"
#include "set/directory.hpp"
#include "set/sets.hpp"
#include "set/signed_write.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>

namespace rb::test {

class FakeRemote final : public offsite::RemoteStore {
public:
  std::map<std::string, std::string> files;
  std::vector<std::string> calls;                 ///< "put etcd-….snap.age"
  std::optional<Error> failure;                   ///< Of every call.
  std::optional<Error> refuses_removal;           ///< And takes everything else.
  std::map<std::string, std::uint64_t> listed_as; ///< Sizes that are not true.
  std::string refuses;                            ///< Takes no file whose name holds this.
  std::string manifests_path;                     ///< Where they were last put.
  std::size_t largest_batch_bytes = 0;            ///< Of small files that were asked for at once.
  /// What becomes of a file that arrives.
  std::function<std::string(const std::string& name, std::string content)> storage;

  const std::string& name() const override { return m_name; }
  Result<std::vector<offsite::RemoteFile>> list(std::stop_token) override {
    RB_TRY(call("list"));
    std::vector<offsite::RemoteFile> listed;
    for (const auto& [name, content] : files) {
      const auto lie = listed_as.find(name);
      listed.push_back({name, lie == listed_as.end() ? content.size() : lie->second});
    }
    return listed;
  }
  Status
  put(const std::string& local_path, const offsite::RemoteFile& file, std::stop_token) override {
    RB_TRY(call("put " + file.name));
    if (!refuses.empty() && file.name.find(refuses) != std::string::npos) {
      return Error{ErrorCode::io, "413 Request Entity Too Large", {}};
    }
    std::ifstream stream(local_path, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(stream), {});
    files[file.name] = storage ? storage(file.name, std::move(content)) : std::move(content);
    return {};
  }
  Result<std::string> sha256(const offsite::RemoteFile& file, std::stop_token) override {
    RB_TRY(call("sha256 " + file.name));
    return to_hex(rb::sha256(as_bytes(files.at(file.name))));
  }
  Status
  get(const offsite::RemoteFile& file, const std::string& local_path, std::stop_token) override {
    RB_TRY(call("get " + file.name));
    std::ofstream(local_path, std::ios::binary) << files.at(file.name);
    return {};
  }
  Status get_small(const std::vector<offsite::RemoteFile>& wanted,
                   const std::string& local_path,
                   std::stop_token) override {
    RB_TRY(call("get_small"));
    manifests_path = local_path;
    std::size_t bytes = 0;
    for (const offsite::RemoteFile& file : wanted) {
      const std::string& content = files.at(file.name);
      std::ofstream(local_path + "/" + file.name, std::ios::binary) << content;
      bytes += content.size();
    }
    largest_batch_bytes = std::max(largest_batch_bytes, bytes);
    return {};
  }
  Status remove(const std::string& name, std::stop_token) override {
    RB_TRY(call("remove " + name));
    if (refuses_removal) {
      return *refuses_removal;
    }
    files.erase(name);
    return {};
  }

  /// The names of one kind of call, in order.
  [[nodiscard]] std::vector<std::string> names_of(const std::string& verb) const {
    std::vector<std::string> names;
    for (const std::string& call : calls) {
      if (call.starts_with(verb + " ")) {
        names.push_back(call.substr(verb.size() + 1));
      }
    }
    return names;
  }

private:
  Status call(std::string what) {
    calls.push_back(std::move(what));
    return failure ? Status(*failure) : Status();
  }
  const std::string m_name = "nextcloud:backups/cluster";
};

/// A backup directory with sets of sets.hpp.
class Backups {
public:
  void add(int day, bool complete = true) {
    const Status stored = store_set(directory, make_manifest(run_id_of_day(day), complete));
    if (!stored) {
      throw std::runtime_error(stored.error().message);
    }
  }
  /// As add: a server was booted from it, and served something else.
  void add_disproven(int day) {
    auto manifest = make_manifest(run_id_of_day(day));
    manifest.proof = set::ProofRecord{};
    manifest.proof->message = "it differs";
    const Status stored = store_set(directory, manifest);
    if (!stored) {
      throw std::runtime_error(stored.error().message);
    }
  }
  /// As add, signed.
  void add_signed(int day) {
    auto manifest = make_manifest(run_id_of_day(day));
    manifest.signed_by = sign::to_string(key.public_key().id());
    for (const api::ArtifactStatus& artifact : manifest.artifacts) {
      write_file(directory.path() + "/" + artifact.file_name,
                 as_text(content_of(artifact.type, manifest.run_id)));
    }
    if (!set::write_signed_manifest(directory, manifest, key)) {
      throw std::runtime_error("the manifest was not written");
    }
    write_file(directory.path() + "/railiance-backup.pub", key.public_key().file());
  }
  [[nodiscard]] std::vector<set::BackupSet> sets() { return set::list_sets(directory).value(); }

  TemporaryDirectory temporary;
  set::Directory directory = set::Directory::open(temporary.file("backups")).value();
  sign::SigningKey key = sign::SigningKey::generate().value();
};

class SetClock final : public Clock {
public:
  SystemTime time = parse_run_id("20260201T000000Z").value();
  [[nodiscard]] SystemTime now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return {}; }
};

} // namespace rb::test
