#include "set/writer.hpp"

#include "set/names.hpp"

#include <utility>

namespace rb::set {

Result<ArtifactWriter> ArtifactWriter::create(Directory& directory, std::string name) {
  const NameKind kind = classify_name(name).kind;
  if (kind != NameKind::artifact && kind != NameKind::manifest && kind != NameKind::signature) {
    return Error{ErrorCode::invalid_argument, "not the name of an artifact: " + name, {}};
  }
  // Looked at early, so that nothing is written in vain; the rename decides.
  const auto taken = directory.fs().open_read(name);
  if (taken || taken.error().code == ErrorCode::unsupported) {
    return Error{ErrorCode::already_exists, directory.path() + "/" + name + ": exists", {}};
  }
  if (taken.error().code != ErrorCode::not_found) {
    return taken.error();
  }
  DurableOrder order;
  order.name = name;
  order.read_back = true;
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(directory.fs(), std::move(order)));
  return ArtifactWriter(directory, std::move(name), std::move(file));
}

Result<StoredFile> ArtifactWriter::commit(std::stop_token stop) {
  auto written = m_file.commit(std::move(stop));
  if (!written) {
    Error error = std::move(written).error();
    if (error.code == ErrorCode::corrupt) {
      error.message.insert(0, m_directory->path() + "/");
    }
    return error;
  }
  return StoredFile{m_name, written->size_bytes, written->sha256};
}

Status replace_file(Directory& directory, const std::string& name, ByteView content) {
  DurableOrder order;
  order.name = name;
  order.replace = true;
  return write_durably(directory.fs(), std::move(order), content);
}

} // namespace rb::set
