#include "datastore/sqlite/reader_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace rb::sqlite {

namespace {

struct ReaderFile : sqlite3_file {
  ReaderVfs* vfs = nullptr;
};

ReaderVfs& vfs_of(sqlite3_file* file) {
  return *static_cast<ReaderFile*>(file)->vfs;
}

int close(sqlite3_file* /*file*/) {
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  return vfs_of(file).read(buffer, size, offset);
}

int write(sqlite3_file* /*file*/, const void* /*buffer*/, int /*size*/, sqlite3_int64 /*offset*/) {
  return SQLITE_READONLY;
}

int truncate(sqlite3_file* /*file*/, sqlite3_int64 /*size*/) {
  return SQLITE_READONLY;
}

int nothing_with_flags(sqlite3_file* /*file*/, int /*flags*/) {
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(vfs_of(file).reader().size());
  return SQLITE_OK;
}

int is_locked(sqlite3_file* /*file*/, int* result) {
  *result = 0;
  return SQLITE_OK;
}

int control(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file* /*file*/) {
  return 4096;
}

int characteristics(sqlite3_file* /*file*/) {
  return SQLITE_IOCAP_IMMUTABLE;
}

sqlite3_io_methods make_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xClose = close;
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = nothing_with_flags;
  methods.xFileSize = file_size;
  methods.xLock = nothing_with_flags;
  methods.xUnlock = nothing_with_flags;
  methods.xCheckReservedLock = is_locked;
  methods.xFileControl = control;
  methods.xSectorSize = sector_size;
  methods.xDeviceCharacteristics = characteristics;
  return methods;
}

int open(sqlite3_vfs* vfs, const char* /*name*/, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods k_methods = make_methods();
  file->pMethods = nullptr;
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) {
    return SQLITE_CANTOPEN;
  }
  auto* const opened = new (file) ReaderFile;
  opened->vfs = static_cast<ReaderVfs*>(vfs->pAppData);
  opened->pMethods = &k_methods;
  if (out_flags != nullptr) {
    *out_flags = SQLITE_OPEN_READONLY;
  }
  return SQLITE_OK;
}

int remove(sqlite3_vfs* /*vfs*/, const char* /*name*/, int /*sync*/) {
  return SQLITE_READONLY;
}

int exists(sqlite3_vfs* /*vfs*/, const char* /*name*/, int /*flags*/, int* result) {
  *result = 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* name, int size, char* path) {
  const std::size_t needed = std::strlen(name) + 1;
  if (needed > static_cast<std::size_t>(size)) {
    return SQLITE_CANTOPEN;
  }
  std::memcpy(path, name, needed);
  return SQLITE_OK;
}

} // namespace

ReaderVfs::ReaderVfs(RandomReader& reader)
    : m_reader(&reader),
      m_name("railiance-reader-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))) {
  const sqlite3_vfs* const usual = ::sqlite3_vfs_find(nullptr); // for clock and random numbers
  m_vfs = *usual;
  m_vfs.iVersion = std::min(usual->iVersion, 2);
  m_vfs.szOsFile = sizeof(ReaderFile);
  m_vfs.pNext = nullptr;
  m_vfs.zName = m_name.c_str();
  m_vfs.pAppData = this;
  m_vfs.xOpen = open;
  m_vfs.xDelete = remove;
  m_vfs.xAccess = exists;
  m_vfs.xFullPathname = full_path;
  ::sqlite3_vfs_register(&m_vfs, 0);
}

ReaderVfs::~ReaderVfs() {
  ::sqlite3_vfs_unregister(&m_vfs);
}

int ReaderVfs::read(void* buffer, int size, sqlite3_int64 offset) {
  auto* const bytes = static_cast<std::uint8_t*>(buffer);
  const auto wanted = static_cast<std::uint64_t>(size);
  const auto begin = static_cast<std::uint64_t>(offset);
  const std::uint64_t there =
      begin < m_reader->size() ? std::min(wanted, m_reader->size() - begin) : 0;
  std::fill(bytes + there, bytes + wanted, std::uint8_t{0});
  if (there != 0) {
    Status got = m_reader->read(begin, MutableByteView(bytes, static_cast<std::size_t>(there)));
    if (!got) {
      m_error = std::move(got).error();
      return SQLITE_IOERR_READ;
    }
  }
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

} // namespace rb::sqlite
