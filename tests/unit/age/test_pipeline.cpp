#include "unit/age/support.hpp"

#include "age/pipeline.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

using namespace rb;
using namespace rb::age;

namespace {

/// Adds one to every byte; the first batches take longest, so that later ones overtake them.
class Increment final : public BatchTransform {
public:
  void apply(Batch& batch) override {
    const auto delay = batch.first_chunk % 3 == 0 ? 300 : 0;
    std::this_thread::sleep_for(std::chrono::microseconds(delay));
    batch.output_chunks = (batch.input_bytes + k_chunk_bytes - 1) / k_chunk_bytes;
    std::size_t left = batch.input_bytes;
    for (std::size_t i = 0; i < batch.output_chunks; ++i) {
      batch.last_output_bytes = std::min(left, k_chunk_bytes);
      left -= batch.last_output_bytes;
      for (std::uint8_t& byte : batch.chunk(i, batch.last_output_bytes)) {
        byte = static_cast<std::uint8_t>(byte + 1);
      }
    }
    if (batch.first_chunk == fail_at) {
      batch.output_chunks = 1;
      batch.last_output_bytes = k_chunk_bytes;
      batch.error = Error{ErrorCode::corrupt, "made to fail", {}};
    }
    std::lock_guard lock(s_mutex);
    s_threads.insert(std::this_thread::get_id());
  }

  std::uint64_t fail_at = ~std::uint64_t{0};
  static inline std::mutex s_mutex;
  static inline std::set<std::thread::id> s_threads;
};

struct Run {
  Result<std::uint64_t> result = std::uint64_t{0};
  Bytes output;
};

PipelineSpec plain_spec() {
  PipelineSpec spec;
  spec.input_chunk_bytes = k_chunk_bytes;
  spec.output_chunk_bytes = k_chunk_bytes;
  return spec;
}

Run run(Source& source,
        unsigned threads,
        const PipelineSpec& spec,
        std::uint64_t fail_at = ~std::uint64_t{0}) {
  std::vector<std::unique_ptr<BatchTransform>> transforms;
  for (unsigned i = 0; i < threads; ++i) {
    auto transform = std::make_unique<Increment>();
    transform->fail_at = fail_at;
    transforms.push_back(std::move(transform));
  }
  Increment::s_threads.clear();
  Run run;
  BytesSink sink(run.output);
  run.result = Pipeline(source, sink, spec, transforms).run();
  return run;
}

Bytes incremented(Bytes bytes) {
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(byte + 1);
  }
  return bytes;
}

constexpr std::size_t k_batch_bytes = k_batch_chunks * k_chunk_bytes;

} // namespace

TEST_CASE("Pipeline: output is in the order of the input, whatever the number of threads") {
  for (const std::size_t size :
       {std::size_t{1}, k_batch_bytes - 1, k_batch_bytes, k_batch_bytes + 1, 20 * k_batch_bytes}) {
    const Bytes input = test::pattern(size);
    for (const unsigned threads : {1U, 2U, 3U, 5U}) {
      CAPTURE(size);
      CAPTURE(threads);
      MemorySource source(input);
      const Run done = run(source, threads, plain_spec());
      REQUIRE(done.result);
      CHECK(*done.result == size);
      CHECK(done.output == incremented(input));
    }
  }
}

TEST_CASE("Pipeline: an input of up to one batch is done by the calling thread alone") {
  const Bytes input = test::pattern(k_batch_bytes);
  MemorySource source(input);
  REQUIRE(run(source, 4, plain_spec()).result);
  CHECK(Increment::s_threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST_CASE("Pipeline: observers see every byte once, in order and never at the same time") {
  const Bytes input = test::pattern(12 * k_batch_bytes + 5);
  MemorySource source(input);
  PipelineSpec spec = plain_spec();
  Bytes seen_in;
  Bytes seen_out;
  std::atomic<int> inside{0};
  std::uint64_t last_progress = 0;
  spec.on_input = [&](ByteView bytes) {
    CHECK(inside.fetch_add(1) == 0);
    seen_in.insert(seen_in.end(), bytes.begin(), bytes.end());
    inside.fetch_sub(1);
  };
  spec.on_output = [&](ByteView bytes) {
    seen_out.insert(seen_out.end(), bytes.begin(), bytes.end());
  };
  spec.progress = [&](std::uint64_t bytes) {
    CHECK(bytes > last_progress);
    last_progress = bytes;
  };
  const Run done = run(source, 3, spec);
  REQUIRE(done.result);
  CHECK(seen_in == input);
  CHECK(seen_out == done.output);
  CHECK(last_progress == input.size());
}

TEST_CASE("Pipeline: a failure comes in its turn, after all that is before it") {
  const Bytes input = test::pattern(10 * k_batch_bytes);
  for (const unsigned threads : {1U, 2U, 4U}) {
    CAPTURE(threads);
    MemorySource source(input);
    const Run done = run(source, threads, plain_spec(), 5 * k_batch_chunks);
    REQUIRE_FALSE(done.result);
    CHECK(done.result.error().message == "made to fail");
    const std::size_t good = 5 * k_batch_bytes + k_chunk_bytes;
    CHECK(done.output == incremented(test::prefix(input, good)));
  }
}

TEST_CASE("Pipeline: a failing source is reported after what it gave before") {
  for (const unsigned threads : {1U, 2U}) {
    test::FailingSource source(3 * k_batch_bytes + k_chunk_bytes);
    const Run done = run(source, threads, plain_spec());
    REQUIRE_FALSE(done.result);
    CHECK(done.result.error().code == ErrorCode::io);
    CHECK(done.output.size() == 3 * k_batch_bytes);
  }
}

TEST_CASE("Pipeline: a full disk ends the pass") {
  const Bytes input = test::pattern(10 * k_batch_bytes);
  for (const unsigned threads : {1U, 3U}) {
    MemorySource source(input);
    test::FullSink sink(2 * k_batch_bytes);
    std::vector<std::unique_ptr<BatchTransform>> transforms;
    for (unsigned i = 0; i < threads; ++i) {
      transforms.push_back(std::make_unique<Increment>());
    }
    const PipelineSpec spec = plain_spec();
    const auto result = Pipeline(source, sink, spec, transforms).run();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::no_space);
  }
}

TEST_CASE("Pipeline: a request to stop ends the pass in the middle") {
  const Bytes input = test::pattern(40 * k_batch_bytes);
  for (const unsigned threads : {1U, 2U}) {
    MemorySource source(input);
    std::stop_source stop;
    PipelineSpec spec = plain_spec();
    spec.stop = stop.get_token();
    spec.progress = [&](std::uint64_t bytes) {
      if (bytes > 5 * k_batch_bytes) {
        stop.request_stop();
      }
    };
    const Run done = run(source, threads, spec);
    REQUIRE_FALSE(done.result);
    CHECK(done.result.error().code == ErrorCode::cancelled);
    CHECK(done.output.size() < input.size());
  }
}
