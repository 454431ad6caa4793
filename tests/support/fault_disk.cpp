#include "support/fault_disk.hpp"

#include <algorithm>
#include <cerrno>

namespace rb::test {

class FaultFile final : public File {
public:
  FaultFile(FaultDisk& disk, std::shared_ptr<FaultDisk::Inode> inode)
      : m_disk(disk), m_inode(std::move(inode)) {}

  Status write(ByteView bytes) override {
    RB_TRY(m_disk.begin_call(true));
    m_inode->content.insert(m_inode->content.end(), bytes.begin(), bytes.end());
    m_disk.end_call();
    return {};
  }

  Result<std::size_t> read(MutableByteView buffer) override {
    RB_TRY(m_disk.begin_call(false));
    const std::size_t count = std::min(buffer.size(), m_inode->content.size() - m_position);
    std::copy_n(
        m_inode->content.begin() + static_cast<std::ptrdiff_t>(m_position), count, buffer.begin());
    m_position += count;
    m_disk.end_call();
    return count;
  }

  Result<std::size_t> read_at(std::uint64_t offset, MutableByteView buffer) override {
    m_position = static_cast<std::size_t>(std::min<std::uint64_t>(offset, m_inode->content.size()));
    return read(buffer);
  }

  Status sync() override {
    RB_TRY(m_disk.begin_call(true));
    m_inode->synced = m_inode->content;
    m_disk.end_call();
    return {};
  }

  Status close() override {
    RB_TRY(m_disk.begin_call(true));
    m_disk.end_call();
    return {};
  }

  Status set_mode(unsigned) override {
    RB_TRY(m_disk.begin_call(true));
    m_disk.end_call();
    return {};
  }

  Status give_name(const std::string& name) override {
    RB_TRY(m_disk.begin_call(true));
    if (m_disk.m_names.contains(name)) {
      return system_error(EEXIST, name);
    }
    m_disk.make({{}, name, m_inode});
    m_disk.end_call();
    return {};
  }

  Result<std::uint64_t> size() override { return std::uint64_t{m_inode->content.size()}; }

private:
  FaultDisk& m_disk;
  std::shared_ptr<FaultDisk::Inode> m_inode;
  std::size_t m_position = 0;
};

class FaultFs final : public Fs {
public:
  explicit FaultFs(FaultDisk& disk) : m_disk(disk) {}

  Result<std::unique_ptr<File>> create(const std::string& name) override {
    RB_TRY(m_disk.begin_call(true));
    if (m_disk.m_names.contains(name)) {
      return system_error(EEXIST, name);
    }
    return add(name);
  }

  Result<std::unique_ptr<File>> create_nameless(const std::string&) override {
    RB_TRY(m_disk.begin_call(true));
    m_disk.end_call();
    return file(std::make_shared<FaultDisk::Inode>());
  }

  Result<std::unique_ptr<File>> open_append(const std::string& name) override {
    RB_TRY(m_disk.begin_call(true));
    if (const auto found = m_disk.m_names.find(name); found != m_disk.m_names.end()) {
      m_disk.end_call();
      return file(found->second);
    }
    return add(name);
  }

  Result<std::unique_ptr<File>> open_read(const std::string& name) override {
    RB_TRY(m_disk.begin_call(false));
    const auto found = m_disk.m_names.find(name);
    if (found == m_disk.m_names.end()) {
      return system_error(ENOENT, name);
    }
    m_disk.end_call();
    return file(found->second);
  }

  Result<std::unique_ptr<File>> open_uncached(const std::string& name) override {
    return open_read(name);
  }

  Status rename_new(const std::string& from, const std::string& to) override {
    if (m_disk.m_names.contains(to)) {
      return system_error(EEXIST, to);
    }
    return rename_over(from, to);
  }

  Status rename_over(const std::string& from, const std::string& to) override {
    RB_TRY(m_disk.begin_call(true));
    const auto found = m_disk.m_names.find(from);
    if (found == m_disk.m_names.end()) {
      return system_error(ENOENT, from);
    }
    m_disk.make({from, to, found->second});
    m_disk.end_call();
    return {};
  }

  Status remove(const std::string& name) override {
    RB_TRY(m_disk.begin_call(true));
    if (!m_disk.m_names.contains(name)) {
      return system_error(ENOENT, name);
    }
    m_disk.make({name, {}, {}});
    m_disk.end_call();
    return {};
  }

  Status sync_directory() override {
    RB_TRY(m_disk.begin_call(true));
    m_disk.m_synced_names = m_disk.m_names;
    m_disk.m_changes.clear();
    m_disk.end_call();
    return {};
  }

  Result<std::vector<DirectoryEntry>> list() override {
    RB_TRY(m_disk.begin_call(false));
    std::vector<DirectoryEntry> entries;
    for (const auto& [name, inode] : m_disk.m_names) {
      entries.push_back({name, true, inode->content.size()});
    }
    m_disk.end_call();
    return entries;
  }

  Result<Space> space() override { return Space{1U << 30U, 1U << 30U}; }

private:
  std::unique_ptr<File> file(const std::shared_ptr<FaultDisk::Inode>& inode) {
    return std::make_unique<FaultFile>(m_disk, inode);
  }

  std::unique_ptr<File> add(const std::string& name) {
    const auto inode = std::make_shared<FaultDisk::Inode>();
    m_disk.make({{}, name, inode});
    m_disk.end_call();
    return file(inode);
  }

  FaultDisk& m_disk;
};

std::unique_ptr<Fs> FaultDisk::mount() {
  return std::make_unique<FaultFs>(*this);
}

void FaultDisk::arrange(Fault fault, std::size_t call) {
  m_fault = fault;
  m_faulty_call = call;
  m_calls = 0;
  m_dead = false;
}

Status FaultDisk::begin_call(bool writes) {
  // A dead process makes no calls; what it would have got must not matter to anybody.
  if (m_dead) {
    return system_error(EIO, "after the end of the process");
  }
  const std::size_t call = m_calls++;
  switch (m_fault) {
  case Fault::none:
  case Fault::dies_after:
    return {};
  case Fault::no_space_once:
    return call == m_faulty_call ? Status(system_error(ENOSPC, "disk")) : Status();
  case Fault::io_error_once:
    return call == m_faulty_call ? Status(system_error(EIO, "disk")) : Status();
  case Fault::no_space_from:
    return call >= m_faulty_call && writes ? Status(system_error(ENOSPC, "disk")) : Status();
  case Fault::dies_before:
    m_dead = call == m_faulty_call;
    return m_dead ? Status(system_error(EIO, "the end of the process")) : Status();
  }
  return {};
}

void FaultDisk::end_call() {
  if (m_fault == Fault::dies_after && m_calls == m_faulty_call + 1) {
    m_dead = true;
  }
}

void FaultDisk::apply(const Change& change, Names& names) {
  if (!change.gone.empty()) {
    names.erase(change.gone);
  }
  if (!change.name.empty()) {
    names[change.name] = change.inode;
  }
}

void FaultDisk::make(Change change) {
  apply(change, m_names);
  m_changes.push_back(std::move(change));
}

void FaultDisk::power_cut(std::mt19937& random) {
  m_names = m_synced_names;
  for (const Change& change : m_changes) {
    if (random() % 2 == 0) {
      apply(change, m_names);
    }
  }
  m_changes.clear();
  m_synced_names = m_names;
  for (const auto& [name, inode] : m_names) {
    if (inode->content != inode->synced) {
      // Of what was appended after the sync some beginning may have reached the disk.
      const std::size_t extra =
          inode->content.size() - std::min(inode->content.size(), inode->synced.size());
      inode->content.resize(inode->synced.size() + (extra == 0 ? 0 : random() % (extra + 1)));
      std::copy(inode->synced.begin(), inode->synced.end(), inode->content.begin());
      inode->synced = inode->content;
    }
  }
  arrange(Fault::none, 0);
}

FaultDisk FaultDisk::copy() const {
  FaultDisk other;
  for (const auto& [name, content] : contents()) {
    other.put(name, content);
  }
  return other;
}

std::map<std::string, Bytes> FaultDisk::contents() const {
  std::map<std::string, Bytes> all;
  for (const auto& [name, inode] : m_names) {
    all[name] = inode->content;
  }
  return all;
}

void FaultDisk::put(const std::string& name, Bytes content) {
  m_names[name] = std::make_shared<Inode>(Inode{content, content});
  m_synced_names = m_names;
}

} // namespace rb::test
