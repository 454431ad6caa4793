#include "set/manifest.hpp"

#include "set/names.hpp"

namespace rb::set {

std::vector<std::string> default_not_covered() {
  return {"data of persistent volumes, local-path storage included",
          "container images",
          "databases and other data that applications keep outside of the cluster's etcd",
          "the private age key that opens this set: keep it somewhere else",
          "nodes that are only agents: they join again with the server token"};
}

Result<StoredFile> write_manifest(Directory& directory, const Manifest& manifest) {
  RB_TRY_ASSIGN(ArtifactWriter writer,
                ArtifactWriter::create(directory, manifest_name(manifest.run_id)));
  RB_TRY(writer.write(as_bytes(serialize(manifest))));
  return writer.commit();
}

Result<std::string> read_manifest_text(Directory& directory, std::string_view run_id) {
  const std::string name = manifest_name(run_id);
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_read(name));
  std::string text(k_manifest_limit_bytes + 1, '\0');
  RB_TRY_ASSIGN(
      const std::size_t got,
      file->read(MutableByteView(reinterpret_cast<std::uint8_t*>(text.data()), text.size())));
  if (got > k_manifest_limit_bytes) {
    return Error{ErrorCode::corrupt, name + ": too large for a manifest", {}};
  }
  text.resize(got);
  return text;
}

Result<Manifest> parse_manifest_of(std::string_view run_id, std::string_view text) {
  const std::string name = manifest_name(run_id);
  auto manifest = parse_manifest(text);
  if (!manifest) {
    return std::move(manifest).error().within(name);
  }
  if (manifest->run_id != run_id) {
    return Error{ErrorCode::corrupt, name + ": is the manifest of run " + manifest->run_id, {}};
  }
  return manifest;
}

Result<Manifest> read_manifest(Directory& directory, std::string_view run_id) {
  RB_TRY_ASSIGN(const std::string text, read_manifest_text(directory, run_id));
  return parse_manifest_of(run_id, text);
}

} // namespace rb::set
