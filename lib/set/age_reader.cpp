#include "set/age_reader.hpp"

#include "age/file_key.hpp"
#include "age/io.hpp"
#include "age/primitives.hpp"

#include <algorithm>

namespace rb::set {

namespace {

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, "payload: " + what, {}};
}

} // namespace

Result<std::unique_ptr<AgeReader>> AgeReader::open(File& file,
                                                   std::span<const age::Identity> identities) {
  StartSource start(file);
  age::BufferedSource source(start);
  age::DecryptFailure failure = age::DecryptFailure::none;
  RB_TRY_ASSIGN(const age::OpenedHeader header, age::open_header(source, {identities}, failure));
  RB_TRY_ASSIGN(
      age::ChunkCipher cipher,
      age::ChunkCipher::make(header.payload_key.view(), age::ChunkCipher::Direction::open));
  std::unique_ptr<AgeReader> reader(new AgeReader(file, std::move(cipher), header.size_bytes));
  RB_TRY_ASSIGN(const std::uint64_t file_bytes, file.size());
  RB_TRY(reader->measure(file_bytes));
  return reader;
}

AgeReader::AgeReader(File& file, age::ChunkCipher cipher, std::uint64_t payload_offset)
    : m_file(file), m_cipher(std::move(cipher)), m_payload_offset(payload_offset) {}

Status AgeReader::measure(std::uint64_t file_bytes) {
  if (file_bytes < m_payload_offset + age::k_tag_bytes) {
    return damaged("cut off");
  }
  m_payload_bytes = file_bytes - m_payload_offset;
  const std::uint64_t chunks =
      (m_payload_bytes + age::k_sealed_chunk_bytes - 1) / age::k_sealed_chunk_bytes;
  if (m_payload_bytes < chunks * age::k_tag_bytes) {
    return damaged("a size that no payload has");
  }
  m_plaintext_bytes = m_payload_bytes - chunks * age::k_tag_bytes;
  return {};
}

Result<const AgeReader::Chunk*> AgeReader::chunk(std::uint64_t index) {
  if (const auto found = m_by_index.find(index); found != m_by_index.end()) {
    m_chunks.splice(m_chunks.begin(), m_chunks, found->second);
    return &m_chunks.front();
  }
  const std::uint64_t offset = index * age::k_sealed_chunk_bytes;
  const std::uint64_t size =
      std::min<std::uint64_t>(age::k_sealed_chunk_bytes, m_payload_bytes - offset);
  SecretBytes bytes(static_cast<std::size_t>(size));
  RB_TRY_ASSIGN(const std::size_t got, m_file.read_at(m_payload_offset + offset, bytes.span()));
  const bool final_chunk = offset + size == m_payload_bytes;
  if (got != size || !m_cipher.open(age::chunk_nonce(index, final_chunk), bytes.span())) {
    return damaged("chunk " + std::to_string(index) + " was altered");
  }
  if (m_chunks.size() == k_chunks_kept) {
    m_by_index.erase(m_chunks.back().index);
    m_chunks.pop_back();
  }
  m_chunks.push_front({index, std::move(bytes), static_cast<std::size_t>(size) - age::k_tag_bytes});
  m_by_index[index] = m_chunks.begin();
  return &m_chunks.front();
}

Status AgeReader::read(std::uint64_t offset, MutableByteView buffer) {
  if (offset > m_plaintext_bytes || buffer.size() > m_plaintext_bytes - offset) {
    return damaged("ends before byte " + std::to_string(offset + buffer.size()));
  }
  while (!buffer.empty()) {
    RB_TRY_ASSIGN(const Chunk* const held, chunk(offset / age::k_chunk_bytes));
    const auto within = static_cast<std::size_t>(offset % age::k_chunk_bytes);
    const std::size_t count = std::min(buffer.size(), held->plaintext_bytes - within);
    const ByteView bytes = held->bytes.view().subspan(within, count);
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
    buffer = buffer.subspan(count);
    offset += count;
  }
  return {};
}

} // namespace rb::set
