// An encrypted file of the backup directory, read as lib/age reads it: from the start, or at any
// offset. The chunks of an age payload are sealed one by one (c2sp.org/age, "Payload"), so the
// pages of a database can be walked without a plaintext file.
#pragma once

#include "age/identity.hpp"
#include "age/io.hpp"
#include "age/primitives.hpp"
#include "base/fs.hpp"
#include "base/random_reader.hpp"
#include "base/secret_bytes.hpp"

#include <list>
#include <span>
#include <unordered_map>

namespace rb::set {

/// Reads from the start, whatever the position of the file, which outlives it.
class StartSource final : public age::Source {
public:
  explicit StartSource(File& file) : m_file(file) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override {
    auto got = m_file.read_at(m_offset, buffer);
    m_offset += got ? *got : 0;
    return got;
  }

private:
  File& m_file;
  std::uint64_t m_offset = 0;
};

/// Keeps the last k_chunks_kept chunks decrypted, in memory that is wiped.
class AgeReader final : public RandomReader {
public:
  static constexpr std::size_t k_chunks_kept = 64;

  /// A binary age file, which outlives the reader. Its size decides where the payload ends; that
  /// this is its true end is for a whole decryption to prove. Errors: those of age::decrypt.
  [[nodiscard]] static Result<std::unique_ptr<AgeReader>>
  open(File& file, std::span<const age::Identity> identities);

  [[nodiscard]] std::uint64_t size() const override { return m_plaintext_bytes; }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override;

private:
  struct Chunk {
    std::uint64_t index;
    SecretBytes bytes; ///< Plaintext and room for the tag.
    std::size_t plaintext_bytes;
  };

  AgeReader(File& file, age::ChunkCipher cipher, std::uint64_t payload_offset);
  [[nodiscard]] Status measure(std::uint64_t file_bytes);
  [[nodiscard]] Result<const Chunk*> chunk(std::uint64_t index);

  File& m_file;
  age::ChunkCipher m_cipher;
  std::uint64_t m_payload_offset;
  std::uint64_t m_payload_bytes = 0;
  std::uint64_t m_plaintext_bytes = 0;
  std::list<Chunk> m_chunks; ///< Last used first.
  std::unordered_map<std::uint64_t, std::list<Chunk>::iterator> m_by_index;
};

} // namespace rb::set
