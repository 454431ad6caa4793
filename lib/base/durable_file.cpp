#include "base/durable_file.hpp"

#include <utility>

namespace rb {

namespace {

constexpr std::size_t k_read_bytes = 256U << 10U;
constexpr std::size_t k_judged_bytes = 1U << 20U; ///< At a time.
constexpr unsigned k_private = 0600;

Error not_what_was_written(const std::string& part) {
  return {ErrorCode::corrupt,
          part + ": what was read back is not what was written",
          "the disk or its file system is failing: look at the kernel log"};
}

} // namespace

DurableFile::DurableFile(Fs& fs, DurableOrder order, std::unique_ptr<File> file, bool named)
    : m_fs(&fs), m_order(std::move(order)), m_file(std::move(file)), m_part_is_there(named) {}

DurableFile::DurableFile(DurableFile&& other) noexcept
    : m_fs(other.m_fs), m_order(std::move(other.m_order)), m_file(std::move(other.m_file)),
      m_part_is_there(std::exchange(other.m_part_is_there, false)), m_expected(other.m_expected),
      m_hash(std::move(other.m_hash)), m_size_bytes(other.m_size_bytes) {}

DurableFile::~DurableFile() {
  discard();
}

void DurableFile::discard() {
  m_file.reset();
  if (std::exchange(m_part_is_there, false)) {
    // Best effort: who writes that name next removes what stays.
    static_cast<void>(m_fs->remove(m_order.part));
  }
}

Result<DurableFile> DurableFile::create(Fs& fs, DurableOrder order) {
  if (order.part.empty()) {
    order.part = order.name + ".part";
  }
  if (order.nameless && !order.read_back) {
    auto nameless = fs.create_nameless(order.name);
    if (nameless) {
      return DurableFile(fs, std::move(order), std::move(*nameless), false);
    }
    if (nameless.error().code != ErrorCode::unsupported) {
      return std::move(nameless).error();
    }
  }
  auto file = fs.create(order.part);
  if (!file && order.replace && file.error().code == ErrorCode::already_exists) {
    RB_TRY(fs.remove(order.part));
    file = fs.create(order.part);
  }
  if (!file) {
    return std::move(file).error();
  }
  return DurableFile(fs, std::move(order), std::move(*file), true);
}

Result<DurableFile> DurableFile::adopt(Fs& fs, DurableOrder order, const ContentDigest& expected) {
  RB_TRY_ASSIGN(std::unique_ptr<File> file, fs.open_append(order.part));
  order.read_back = true;
  DurableFile adopted(fs, std::move(order), std::move(file), true);
  adopted.m_expected = expected;
  RB_TRY(adopted.m_file->set_mode(k_private)); // whatever the other program gave it
  return adopted;
}

Status DurableFile::write(ByteView bytes) {
  if (!m_file || m_expected) {
    return Error{ErrorCode::internal, m_order.name + ": written to after its end", {}};
  }
  RB_TRY(m_file->write(bytes));
  m_size_bytes += bytes.size();
  if (m_order.judge == nullptr) {
    m_hash.update(bytes);
  }
  return {};
}

Result<ContentDigest> DurableFile::judge(const std::stop_token& stop) {
  RB_TRY_ASSIGN(const std::unique_ptr<File> again, m_fs->open_uncached(m_order.part));
  Bytes buffer(k_judged_bytes);
  std::uint64_t read_bytes = 0;
  for (std::size_t got = buffer.size(); got == buffer.size(); read_bytes += got) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped while reading a file back", {}};
    }
    RB_TRY_ASSIGN(got, again->read(buffer));
    if (Status taken = m_order.judge->take(ByteView(buffer).first(got)); !taken) {
      return std::move(taken).error().within(m_order.part);
    }
  }
  if (read_bytes != m_size_bytes) {
    return not_what_was_written(m_order.part);
  }
  auto judged = m_order.judge->finish();
  if (!judged) {
    return std::move(judged).error().within(m_order.part);
  }
  return judged;
}

Status DurableFile::compare(const ContentDigest& written, std::stop_token stop) {
  RB_TRY_ASSIGN(const std::unique_ptr<File> again, m_fs->open_uncached(m_order.part));
  RB_TRY_ASSIGN(const ContentDigest read_back, digest_of(*again, std::move(stop)));
  if (read_back.size_bytes != written.size_bytes || read_back.sha256 != written.sha256) {
    return not_what_was_written(m_order.part);
  }
  return {};
}

/// What the file is, on the medium where that was asked for.
Result<ContentDigest> DurableFile::check(std::stop_token stop) {
  if (m_order.judge != nullptr) {
    return judge(stop);
  }
  const ContentDigest written =
      m_expected ? *m_expected : ContentDigest{m_size_bytes, m_hash.digest()};
  if (m_order.read_back) {
    RB_TRY(compare(written, std::move(stop)));
  }
  return written;
}

Status DurableFile::name_the_nameless(const std::string& name) {
  Status named = m_file->give_name(name);
  if (!named && named.error().code == ErrorCode::already_exists && name == m_order.part) {
    RB_TRY(m_fs->remove(name)); // of a crash
    named = m_file->give_name(name);
  }
  return named;
}

/// From here on the content is on the medium.
Status DurableFile::give_name() {
  if (!m_part_is_there) {
    RB_TRY(name_the_nameless(m_order.replace ? m_order.part : m_order.name));
    m_part_is_there = m_order.replace;
    m_file.reset();
    if (!m_order.replace) {
      return {};
    }
  }
  RB_TRY(m_order.replace ? m_fs->rename_over(m_order.part, m_order.name)
                         : m_fs->rename_new(m_order.part, m_order.name));
  m_part_is_there = false;
  return {};
}

Result<ContentDigest> DurableFile::commit(std::stop_token stop) {
  if (!m_file) {
    return Error{ErrorCode::internal, m_order.name + ": committed twice", {}};
  }
  if (m_order.mode != k_private) {
    RB_TRY(m_file->set_mode(m_order.mode));
  }
  RB_TRY(m_file->sync());
  if (m_part_is_there) {
    RB_TRY(m_file->close());
  }
  RB_TRY_ASSIGN(const ContentDigest written, check(std::move(stop)));
  RB_TRY(give_name());
  m_file.reset();
  if (Status synced = m_fs->sync_directory(); !synced) {
    // It may be lost in a power cut, so it must not be there for somebody to count on.
    if (!m_order.replace) {
      static_cast<void>(m_fs->remove(m_order.name));
    }
    return std::move(synced).error();
  }
  return written;
}

Status write_durably(Fs& fs, DurableOrder order, ByteView content) {
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(fs, std::move(order)));
  RB_TRY(file.write(content));
  const auto committed = file.commit();
  return committed ? Status() : Status(committed.error());
}

Result<ContentDigest>
digest_of(File& file, std::stop_token stop, const std::function<void(std::uint64_t)>& on_read) {
  Bytes buffer(k_read_bytes);
  Sha256 hash;
  ContentDigest result;
  for (;;) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped while reading a file back", {}};
    }
    RB_TRY_ASSIGN(const std::size_t got, file.read(buffer));
    hash.update(ByteView(buffer).first(got));
    result.size_bytes += got;
    if (on_read) {
      on_read(got);
    }
    if (got < buffer.size()) {
      result.sha256 = hash.digest();
      return result;
    }
  }
}

} // namespace rb
