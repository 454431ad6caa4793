// The one way in which a file comes to its name: written aside, synced, read back where that is
// asked, named in one step, and the directory synced. Whoever finds the name finds the whole file,
// also after a power cut; whoever was told that it is there finds it.
#pragma once

#include "base/digest.hpp"
#include "base/fs.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace rb {

class ReadBack;

struct DurableOrder {
  std::string name;
  std::string part = {};  ///< Its name while it grows; "<name>.part" where this is empty.
  unsigned mode = 0600;   ///< Once it is whole; 0600 before.
  bool replace = false;   ///< A file of that name; else it makes commit() fail.
  bool read_back = false; ///< From the medium, and compared, before it has its name.
  /// It holds what nobody may find after a kill: no name at all before it is whole, where the file
  /// system has such files. Not together with `read_back`.
  bool nameless = false;
  /// With `read_back`: it judges what is read back, instead of the digest of what was written.
  /// Outlives the file.
  ReadBack* judge = nullptr;
};

struct ContentDigest {
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};
};

/// For a writer that knows from elsewhere what must be on the medium: nothing is hashed while it is
/// written. Once all of it has been synced, it is read back.
class ReadBack : public Port {
public:
  /// The file, in order, as it came from the medium. Errors: corrupt.
  [[nodiscard]] virtual Status take(ByteView bytes) = 0;
  /// After the last byte. Errors: corrupt.
  [[nodiscard]] virtual Result<ContentDigest> finish() = 0;
};

/// One file in the making. Discarded by the destructor unless commit() succeeded. The Fs must
/// outlive it. Used by one thread at a time.
class DurableFile {
public:
  /// Where it is to replace, a part that a crash has left goes; else already_exists. Errors: those
  /// of Fs.
  [[nodiscard]] static Result<DurableFile> create(Fs& fs, DurableOrder order);

  /// `order.part` was written by another program, and is this file now; `expected` is what it must
  /// be. Errors: those of Fs.
  [[nodiscard]] static Result<DurableFile>
  adopt(Fs& fs, DurableOrder order, const ContentDigest& expected);

  ~DurableFile();
  DurableFile(DurableFile&& other) noexcept;
  DurableFile& operator=(DurableFile&&) = delete;
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  /// Appends.
  [[nodiscard]] Status write(ByteView bytes);
  [[nodiscard]] std::uint64_t size_bytes() const { return m_size_bytes; }

  /// Once. Errors: corrupt (what was read back is not what was written), already_exists, cancelled,
  /// those of Fs. After an error the old file, or none, has the name, with one exception: where the
  /// very last sync fails, a replaced one is the new one, and may be the old one after a power cut.
  [[nodiscard]] Result<ContentDigest> commit(std::stop_token stop = {});

private:
  DurableFile(Fs& fs, DurableOrder order, std::unique_ptr<File> file, bool named);
  [[nodiscard]] Status give_name();
  [[nodiscard]] Status name_the_nameless(const std::string& name);
  [[nodiscard]] Result<ContentDigest> check(std::stop_token stop);
  [[nodiscard]] Status compare(const ContentDigest& written, std::stop_token stop);
  [[nodiscard]] Result<ContentDigest> judge(const std::stop_token& stop);
  void discard();

  Fs* m_fs;
  DurableOrder m_order;
  std::unique_ptr<File> m_file;            ///< Null once committed, discarded or moved from.
  bool m_part_is_there;                    ///< Under the name of the part, which is ours to remove.
  std::optional<ContentDigest> m_expected; ///< Of one that was adopted.
  Sha256 m_hash;
  std::uint64_t m_size_bytes = 0;
};

/// All of `content` in one step. Errors: those of DurableFile.
[[nodiscard]] Status write_durably(Fs& fs, DurableOrder order, ByteView content);

/// Reads to the end; `on_read` is told of the size of each piece. Errors: cancelled, those of
/// File::read.
[[nodiscard]] Result<ContentDigest> digest_of(
    File& file, std::stop_token stop = {}, const std::function<void(std::uint64_t)>& on_read = {});

} // namespace rb
