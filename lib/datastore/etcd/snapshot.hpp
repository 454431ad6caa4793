// A snapshot of etcd: the file, the digest that it ends with, and what is in it.
#pragma once

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/port.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::etcd {

/// Reads at an offset from something that may be larger than memory: a snapshot file, a buffer, or
/// an encrypted file that is decrypted in pieces. Never mmap: a file that shrinks under a mapping
/// ends the process with SIGBUS. Used by one thread at a time.
class RandomReader : public Port {
public:
  /// Size in bytes, as it was when the reader was made.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// Fills all of `buffer` from `offset`. Errors: corrupt (it would read past the end, or the
  /// file has shrunk), io.
  [[nodiscard]] virtual Status read(std::uint64_t offset, MutableByteView buffer) = 0;
};

/// A file, by pread(2). Holds the descriptor, so a file that is unlinked meanwhile stays readable.
class FileReader final : public RandomReader {
public:
  /// `path` is for messages only. Errors: io (fstat), unsupported (not a regular file).
  [[nodiscard]] static Result<std::unique_ptr<FileReader>> open(Fd fd, std::string path);

  [[nodiscard]] std::uint64_t size() const override { return m_size_bytes; }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override;

private:
  FileReader(Fd fd, std::string path, std::uint64_t size_bytes);

  Fd m_fd;
  std::string m_path;
  std::uint64_t m_size_bytes;
};

/// Bytes in memory, which must outlive the reader.
class MemoryReader final : public RandomReader {
public:
  explicit MemoryReader(ByteView bytes) : m_bytes(bytes) {}

  [[nodiscard]] std::uint64_t size() const override { return m_bytes.size(); }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override;

private:
  ByteView m_bytes;
};

struct TrailerDigests {
  Sha256Digest content{};       ///< Of the bbolt file alone; equal to the trailer.
  Sha256Digest file{};          ///< Of the whole snapshot file, trailer included.
  std::uint64_t size_bytes = 0; ///< Of the whole snapshot file.
};

/// The check that `etcdctl snapshot restore` makes before it takes a file: the last 32 bytes are
/// the SHA-256 of all that precedes them, and the size modulo 512 is 32 (etcd, etcdutl/snapshot,
/// "hasChecksum"). One hash pass gives this and the digest of the file. Takes the file in order, in
/// pieces of any size. Used by one thread at a time.
class TrailerCheck {
public:
  void update(ByteView bytes);

  /// Bytes seen so far.
  [[nodiscard]] std::uint64_t size_bytes() const { return m_size_bytes; }

  /// Once, after the last byte. Errors: corrupt (empty; a size that no snapshot has; a trailer
  /// that is not the digest of the content).
  [[nodiscard]] Result<TrailerDigests> finish();

private:
  Sha256 m_hash;
  // The last bytes seen, not yet hashed: they may be the trailer.
  std::array<std::uint8_t, 32> m_tail{};
  std::size_t m_tail_size = 0;
  std::uint64_t m_size_bytes = 0;
};

/// The meaning behind the digest. Equal, field by field, to what `etcdutl snapshot status` (3.6)
/// prints.
struct SnapshotInfo {
  std::int64_t revision = 0;    ///< Main revision of the last entry of the bucket "key".
  std::uint64_t total_keys = 0; ///< Live keys, as etcdutl >= 3.6 counts them.
  std::uint64_t total_keys_all_buckets = 0; ///< Entries of all buckets: totalKey of etcdutl <= 3.5.
  std::uint32_t hash = 0;                   ///< CRC-32C over names, keys and values of all buckets.
  std::uint64_t db_size_bytes = 0; ///< totalSize of etcdutl: high-water mark times page size.
  std::string storage_version;     ///< "3.6.0", or empty: written since etcd 3.6 only.
  std::uint32_t page_size_bytes = 0;
  std::uint64_t pages_in_use = 0;
  /// Live keys below /registry by kind: "pods", "secrets", "services/specs",
  /// "helm.cattle.io/helmcharts". At most k_kind_limit kinds; the rest is in "(other)".
  std::map<std::string, std::uint64_t> objects;
  /// The <hash> of each live key /bootstrap/<hash>: k3s names it after its server token.
  std::vector<std::string> bootstrap_hashes;
  std::uint64_t members = 0; ///< Members of the etcd that it was taken of (bucket "members").
  /// The last value of InspectLimits::wanted_key; absent where it is not there.
  std::optional<Bytes> wanted_value;
};

inline constexpr std::size_t k_kind_limit = 4096;

/// What inspect() may use. The defaults bound it to about 50 MiB, whatever the file.
struct InspectLimits {
  /// One bbolt node with its overflow pages. etcd's largest request is 1.5 MiB by default
  /// (--max-request-bytes), a node holds two or three of them.
  std::uint32_t node_bytes = 16U << 20U;
  std::uint32_t branch_bytes = 1U << 20U; ///< One branch node; one a level is held.
  std::size_t live_keys = 1U << 20U;      ///< Counted in one pass; more keys take more passes.
  std::string wanted_key; ///< Its value is kept ("/registry/minions/NODE"); empty: none is.
};

/// Walks the whole file: both meta pages, every reachable page (own id, once only, bounds, order
/// of keys, range given by the parent), the freelist where there is one, every bucket.
/// `reader` may include the 32-byte trailer. It does not look at the digest: TrailerCheck does.
/// Errors: corrupt (with the page or the bucket that is wrong), unsupported (over a limit, a
/// bbolt version that we do not know), cancelled, io.
[[nodiscard]] Result<SnapshotInfo>
inspect(RandomReader& reader, const InspectLimits& limits = {}, std::stop_token stop = {});

/// One of all that happened to the keys, in the order of revisions. What is alive is what was put
/// last and not deleted since.
struct KeyChange {
  ByteView key;
  std::int64_t revision = 0; ///< Main revision: what Kubernetes calls resourceVersion.
  bool deleted = false;
  ByteView value; ///< Empty where it was deleted.
};

/// Views are valid during the call. An error ends the walk and is passed on.
using OnChange = std::function<Status(const KeyChange&)>;

/// Walks the whole file as inspect() does, and with its errors: for callers that need more than
/// counts.
[[nodiscard]] Status
replay(RandomReader& reader, const OnChange& on_change, std::stop_token stop = {});

} // namespace rb::etcd
