// Fs on an open directory, by the *at() calls only. Private to this room.
#pragma once

#include "base/fd.hpp"
#include "base/fs.hpp"

namespace rb {

class PosixFs final : public Fs {
public:
  /// `directory` is open; `path` is for messages.
  PosixFs(Fd directory, std::string path) : m_fd(std::move(directory)), m_path(std::move(path)) {}

  [[nodiscard]] Result<std::unique_ptr<File>> create(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> create_nameless(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_append(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_read(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_uncached(const std::string& name) override;
  [[nodiscard]] Status rename_new(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status rename_over(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status remove(const std::string& name) override;
  [[nodiscard]] Status check_removable(const std::string& name) override;
  [[nodiscard]] Status sync_directory() override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list() override;
  [[nodiscard]] Result<Space> space() override;

private:
  [[nodiscard]] Result<Fd> open_at(const std::string& name, int flags);
  [[nodiscard]] std::string path_of(const std::string& name) const { return m_path + "/" + name; }

  Fd m_fd;
  std::string m_path;
};

} // namespace rb
