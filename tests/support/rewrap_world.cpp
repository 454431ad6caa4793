#include "support/rewrap_world.hpp"

#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/set_check.hpp"
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"
#include "support/sets.hpp"

#include "age/file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

namespace rb::test {

using namespace rb::set;

Manifest RewrapWorld::store(int day) {
  Manifest manifest = make_manifest(run_id_of_day(day));
  manifest.recipients = {old.recipient().text()};
  const age::Recipient recipient = old.recipient();
  for (api::ArtifactStatus& artifact : manifest.artifacts) {
    const Bytes sealed =
        age::encrypt_bytes(content_of(artifact.type, manifest.run_id), std::span(&recipient, 1))
            .value();
    auto writer = ArtifactWriter::create(directory, artifact.file_name).value();
    REQUIRE(writer.write(sealed));
    REQUIRE(writer.commit());
    artifact.size_bytes = sealed.size();
    artifact.sha256 = to_hex(sha256(sealed));
  }
  return manifest;
}

void RewrapWorld::add(int day) {
  Manifest manifest = store(day);
  ChainEnd end = chain_end(list_sets(directory).value(), {}, key.public_key());
  manifest.signed_by = sign::to_string(key.public_key().id());
  manifest.previous = std::move(end.previous);
  manifest.catalogue = std::move(end.catalogue);
  std::erase_if(manifest.catalogue,
                [&](const ManifestLink& link) { return link.run_id == manifest.run_id; });
  REQUIRE(write_signed_manifest(directory, manifest, key));
}

void RewrapWorld::add_unsigned(int day) {
  REQUIRE(write_manifest(directory, store(day)));
}

void RewrapWorld::write_kit(int day) {
  const Manifest manifest = *listed(day).manifest;
  REQUIRE(write_stamp(directory, manifest, key));
  REQUIRE(write_signed_file(
      directory, std::string(k_guide_name), as_bytes(restore_guide(manifest, k_facts)), key));
}

void RewrapWorld::forget(int day) {
  for (const auto& [name, content] : disk.contents()) {
    if (classify_name(name).run_id == run_id_of_day(day)) {
      REQUIRE(directory.fs().remove(name));
    }
  }
}

BackupSet RewrapWorld::listed(int day) {
  const auto sets = list_sets(directory).value();
  const auto found = std::ranges::find(sets, run_id_of_day(day), &BackupSet::run_id);
  REQUIRE(found != sets.end());
  return *found;
}

RewrapOrder RewrapWorld::order(const age::Identity& to, bool adopt) {
  return {{to.recipient()}, "creation rule 2", adopt};
}

Result<Rewrapped> RewrapWorld::rewrap(int day, const age::Identity& to, bool adopt) {
  std::vector<age::Identity> keys;
  for (const age::Identity* const one : {&old, &fresh}) {
    keys.push_back(age::Identity::parse(one->text().text()).value());
  }
  RB_TRY_ASSIGN(const auto sets, list_sets(directory));
  const auto found = std::ranges::find(sets, run_id_of_day(day), &BackupSet::run_id);
  if (found == sets.end()) {
    return Error{ErrorCode::not_found, "no such set", {}};
  }
  return rewrap_set(directory, *found, keys, order(to, adopt), key, {});
}

Status RewrapWorld::sweep_and_rewrap(int day) {
  RB_TRY(sweep_leftovers(directory));
  RB_TRY(finish_rewraps(directory, key));
  RB_TRY_ASSIGN(const Rewrapped done, rewrap(day));
  return done.unfinished ? Status(*done.unfinished) : Status();
}

bool RewrapWorld::opens_with(int day, const age::Identity& identity) {
  const BackupSet set = listed(day);
  return set.state == SetState::complete &&
         std::ranges::all_of(set.manifest->artifacts, [&](const api::ArtifactStatus& artifact) {
           const Bytes sealed = disk.contents().at(artifact.file_name);
           const auto plain = age::decrypt_bytes(sealed, std::span(&identity, 1));
           const Bytes wanted = content_of(artifact.type, set.run_id);
           return sealed.size() == artifact.size_bytes &&
                  to_hex(sha256(sealed)) == artifact.sha256 && plain &&
                  std::ranges::equal(plain->view(), wanted);
         });
}

std::string RewrapWorld::words() {
  const std::array keys{key.public_key()};
  std::string words;
  for (const auto& [run_id, made] : judge_catalogue(list_sets(directory).value(), keys)) {
    words += (words.empty() ? "" : " ") + std::string(to_string(made.verdict));
  }
  return words;
}

std::size_t RewrapWorld::names_of(int day) const {
  const auto files = disk.contents();
  return static_cast<std::size_t>(std::ranges::count_if(files, [&](const auto& file) {
    return classify_name(file.first).run_id == run_id_of_day(day);
  }));
}

std::string RewrapWorld::text_of(std::string_view name) const {
  const Bytes content = disk.contents().at(std::string(name));
  return {content.begin(), content.end()};
}

bool RewrapWorld::kit_is_genuine() {
  const std::array keys{key.public_key()};
  return std::ranges::all_of(std::array{k_stamp_name, k_guide_name}, [&](std::string_view name) {
    return judge_signed_file(directory, name, keys).trust == FileTrust::genuine;
  });
}

} // namespace rb::test
