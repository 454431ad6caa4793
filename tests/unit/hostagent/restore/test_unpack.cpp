#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using api::ArtifactType;
using test::BackupFixture;
using test::run_id_of_day;

namespace {

const std::string k_run = run_id_of_day(1);

/// A tar.gz that our own writer refuses to make.
std::string hostile_tar(const std::string& path, const std::string& link) {
  std::string bytes(1U << 16U, '\0');
  std::size_t used = 0;
  struct archive* writer = archive_write_new();
  archive_write_set_format_pax(writer);
  archive_write_add_filter_gzip(writer);
  archive_write_set_bytes_in_last_block(writer, 1);
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  const auto add = [&](const std::string& name, const std::string& target) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_filetype(entry, target.empty() ? AE_IFREG : AE_IFLNK);
    archive_entry_set_size(entry, target.empty() ? 1 : 0);
    if (!target.empty()) {
      archive_entry_set_symlink(entry, target.c_str());
    }
    archive_write_header(writer, entry);
    if (target.empty()) {
      archive_write_data(writer, "x", 1);
    }
    archive_entry_free(entry);
  };
  add("good", "");
  add(path, link);
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

} // namespace

TEST_CASE_FIXTURE(BackupFixture, "restore --artifact helm-values: the values, and the commands") {
  add_set(k_run);
  const std::string to = file("values");
  const auto result = run({"restore", "--artifact", "helm-values", "--to", to, "-i", keys()});
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(test::read_file(to + "/shop/web.yaml") == "replicas: 3\n");
  CHECK(result.out.starts_with("# A release does not record its chart's repository"));
  CHECK(result.out.find(
            "\nhelm upgrade --install web \"${REPO:?}/nginx\" --namespace shop --create-namespace "
            "--version 15.1.0 -f " +
            to + "/shop/web.yaml\n") != std::string::npos);
  const auto again = run({"restore", "--artifact", "helm-values", "--to", to, "-i", keys()});
  CHECK(again.code == 1);
  CHECK(again.err.find("exists\nhint: choose another directory") != std::string::npos);
  const auto json = run_json(
      {"restore", k_run, "--artifact", "helm-values", "--to", to, "--force", "-i", keys()});
  CHECK(json.at("runID") == k_run);
  CHECK(json.at("files").size() == 2);
  CHECK(json.at("releases").at(0).at("name") == "web");
  CHECK(json.at("releases").at(0).at("command").get<std::string>().starts_with("helm upgrade"));
}

TEST_CASE_FIXTURE(BackupFixture, "restore --artifact kubeconfig and host-state") {
  add_set(k_run);
  const std::string to = file("to");
  const auto kubeconfig = run({"restore", "--artifact", "kubeconfig", "--to", to, "-i", keys()});
  CHECK(kubeconfig.code == 0);
  CHECK(kubeconfig.out == to + "/kubeconfig.yaml\n");
  CHECK(test::read_file(to + "/kubeconfig.yaml") == test::plaintext_of(ArtifactType::kubeconfig));
  CHECK(run({"restore", "--artifact", "host-state", "--to", to, "-i", keys()}).code == 0);
  CHECK(test::read_file(to + "/var/lib/rancher/k3s/server/token") ==
        std::string(test::k_token) + "\n");
}

TEST_CASE_FIXTURE(BackupFixture,
                  "restore --artifact: latest is the newest whole set that has the artifact") {
  add_set(k_run);
  add_incomplete_set(run_id_of_day(2));
  const auto json =
      run_json({"restore", "--artifact", "helm-values", "--to", file("to"), "-i", keys()});
  CHECK(json.at("runID") == k_run);
}

TEST_CASE_FIXTURE(BackupFixture, "restore --artifact: a hostile archive writes nothing") {
  add_set(k_run);
  for (const auto& [path, link] :
       std::vector<std::pair<std::string, std::string>>{{"../evil", ""},
                                                        {"/tmp/evil", ""},
                                                        {"a/../../evil", ""},
                                                        {"etc", "/etc"},
                                                        {"good", ""}}) {
    CAPTURE(path);
    replace_content(ArtifactType::host_state, k_run, hostile_tar(path, link));
    const auto result =
        run({"restore", "--artifact", "host-state", "--to", file("to"), "-i", keys()});
    CHECK((result.code == 6 || (!link.empty() && result.code == 1)));
    CHECK(result.err.find("hint: nothing was written") != std::string::npos);
    CHECK(!std::filesystem::exists(file("to")));
  }
}

TEST_CASE_FIXTURE(BackupFixture, "restore --artifact: what cannot be opened") {
  const auto restore = [&](const std::string& keys_file, const std::string& artifact) {
    return run({"restore", "--artifact", artifact, "--to", file("to"), "-i", keys_file});
  };
  CHECK(restore(keys(), "kubeconfig").code == 4);
  add_set(k_run);
  CHECK(restore(other_keys(), "kubeconfig").code == 5);
  CHECK(restore(file("no-keys"), "kubeconfig").code == 5);
  CHECK(restore(keys(), "etcd-snapshot").code == 2);
  CHECK(run({"restore", "--artifact", "kubeconfig", "-i", keys()}).code == 2);
  test::write_file(artifact(ArtifactType::kubeconfig, k_run), "x");
  CHECK(restore(keys(), "kubeconfig").code == 6);
  add_incomplete_set(run_id_of_day(3));
  const auto missing = run(
      {"restore", run_id_of_day(3), "--artifact", "helm-values", "--to", file("to"), "-i", keys()});
  CHECK(missing.code == 3);
  CHECK(missing.err.find("has no HelmValues\nhint: ") != std::string::npos);
  CHECK(!std::filesystem::exists(file("to")));
}
