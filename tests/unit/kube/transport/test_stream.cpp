#include "support.hpp"

#include "kube/watcher.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;

namespace {

long resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long kib = 0;
  while (status >> word) {
    if (word == "VmRSS:") {
      status >> kib;
    }
  }
  return kib;
}

} // namespace

TEST_CASE("each event is there before the next is sent") {
  std::atomic<int> arrived{0};
  const LoopbackServer server([&](Peer& peer) {
    peer.read_request();
    peer.write(k_chunked_head);
    for (int i = 0; i < 5; ++i) {
      peer.write_chunk("{\"n\":" + std::to_string(i) + "}\n");
      for (int waited = 0; arrived <= i && waited < 500; ++waited) {
        std::this_thread::sleep_for(10ms);
      }
    }
    peer.write(k_last_chunk);
  });
  const auto transport = connect(server);
  std::vector<std::string> pieces;
  const auto end = transport->stream(get("/watch"),
                                     [&](std::string_view bytes) {
                                       pieces.emplace_back(bytes);
                                       ++arrived;
                                       return true;
                                     },
                                     {});
  REQUIRE(end);
  CHECK(end->status == 200);
  CHECK_FALSE(end->ended_by_sink);
  CHECK(pieces == std::vector<std::string>{
                      "{\"n\":0}\n", "{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n", "{\"n\":4}\n"});
}

TEST_CASE("a stream that is cut short is an error; one that ends is not") {
  const LoopbackServer server([](Peer& peer) {
    const bool whole = peer.read_request().find("/whole") != std::string::npos;
    peer.write(k_chunked_head);
    peer.write_chunk("a\n");
    if (whole) {
      peer.write(k_last_chunk);
    }
  });
  const auto transport = connect(server);
  const auto all = [](std::string_view) { return true; };
  CHECK(transport->stream(get("/whole"), all, {}).has_value());
  CHECK(transport->stream(get("/cut"), all, {}).error().code == ErrorCode::unavailable);
}

TEST_CASE("a status that is not 200 comes with its body and without a word to the sink") {
  const LoopbackServer server(always(response(410, "{\"kind\":\"Status\"}")));
  const auto transport = connect(server);
  bool called = false;
  const auto end = transport->stream(get("/watch"),
                                     [&](std::string_view) {
                                       called = true;
                                       return true;
                                     },
                                     {});
  REQUIRE(end);
  CHECK(end->status == 410);
  CHECK(end->body == "{\"kind\":\"Status\"}");
  CHECK_FALSE(called);
}

TEST_CASE("a sink that has enough ends the stream and the connection") {
  std::atomic<bool> closed{false};
  const LoopbackServer server([&](Peer& peer) {
    peer.read_request();
    peer.write(k_chunked_head);
    peer.write_chunk("a\n");
    peer.wait_closed();
    closed = true;
  });
  const auto transport = connect(server);
  const auto end = transport->stream(get("/watch"), [](std::string_view) { return false; }, {});
  REQUIRE(end);
  CHECK(end->ended_by_sink);
  for (int i = 0; i < 200 && !closed; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(closed);
}

TEST_CASE("silence ends a stream after the idle timeout, which each byte restarts") {
  const LoopbackServer server([](Peer& peer) {
    peer.read_request();
    peer.write(k_chunked_head);
    for (int i = 0; i < 4; ++i) {
      std::this_thread::sleep_for(200ms);
      peer.write_chunk("a\n");
    }
    peer.wait_closed();
  });
  const auto transport = connect(server);
  Request request = get("/watch");
  request.idle_timeout = 400ms;
  int lines = 0;
  const Stopwatch watch;
  const auto end = transport->stream(request,
                                     [&](std::string_view) {
                                       ++lines;
                                       return true;
                                     },
                                     {});
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::timeout);
  CHECK(lines == 4);
  CHECK(watch.elapsed() >= 1200ms);
}

TEST_CASE("a stop ends a stream that says nothing within a moment") {
  const LoopbackServer server([](Peer& peer) {
    peer.read_request();
    peer.write(k_chunked_head);
    peer.wait_closed();
  });
  const auto transport = connect(server);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(150ms);
    stop.request_stop();
  });
  const Stopwatch watch;
  const auto end = transport->stream(
      get("/watch"), [](std::string_view) { return true; }, stop.get_token());
  CHECK(end.error().code == ErrorCode::cancelled);
  CHECK(watch.elapsed() < 1s);
}

TEST_CASE("a server that outruns the reader is left, and the memory stays bounded") {
  std::atomic<std::size_t> sent{0};
  const LoopbackServer server([&](Peer& peer) {
    peer.read_request();
    peer.write(k_chunked_head);
    const std::string piece(64 * 1024, 'x');
    while (peer.write_chunk(piece)) {
      sent += piece.size();
    }
  });
  const auto transport = connect(server);
  Request request = get("/watch");
  request.body_limit_bytes = 4 * 1024 * 1024;
  const long before = resident_kib();
  const auto end = transport->stream(request,
                                     [&](std::string_view) {
                                       std::this_thread::sleep_for(1s); // the slow reader
                                       return true;
                                     },
                                     {});
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::unsupported);
  CHECK(sent < 40U * 1024U * 1024U);
  CHECK(resident_kib() - before < 40 * 1024);
}

TEST_CASE("a stream without chunks and without a length is refused instead of waited for") {
  const LoopbackServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"n\":1}\n");
    peer.wait_closed();
  });
  const auto transport = connect(server);
  const auto end = transport->stream(get("/watch"), [](std::string_view) { return true; }, {});
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::unsupported);
}

TEST_CASE("a watcher over the wire: list, events, a 410 in the stream, a new list") {
  class Names final : public WatchHandler {
  public:
    void on_upsert(nlohmann::json object) override {
      add("+" + object["metadata"]["name"].get<std::string>());
    }
    void on_delete(const ObjectId& id) override { add("-" + id.name); }
    void on_synced() override { add("synced"); }
    bool wait_for(const std::string& all) {
      std::unique_lock lock(m_mutex);
      return m_changed.wait_for(lock, 10s, [&] { return m_all == all; });
    }

  private:
    void add(const std::string& word) {
      const std::lock_guard lock(m_mutex);
      m_all += (m_all.empty() ? "" : " ") + word;
      m_changed.notify_all();
    }
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::string m_all;
  };
  const auto object = [](const std::string& name, const std::string& version) {
    return R"({"metadata":{"name":")" + name + R"(","uid":")" + name + R"(","resourceVersion":")" +
           version + R"("}})";
  };
  std::atomic<int> lists{0};
  const LoopbackServer server([&](Peer& peer) {
    for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
      if (r.find("watch=1") == std::string::npos) {
        const bool first = ++lists == 1;
        peer.write(response(200,
                            R"({"metadata":{"resourceVersion":"10"},"items":[)" +
                                object(first ? "a" : "c", "9") + "]}"));
      } else if (lists == 1) {
        peer.write(k_chunked_head);
        peer.write_chunk(R"({"type":"ADDED","object":)" + object("b", "11") + "}\n");
        peer.write_chunk(R"({"type":"ERROR","object":{"kind":"Status","code":410}})"
                         "\n");
        peer.wait_closed();
      } else {
        peer.write(k_chunked_head);
        peer.wait_closed();
      }
    }
  });
  const auto transport = connect(server);
  Client client(*transport);
  Names names;
  WatchOptions options;
  options.backoff.first = 20ms;
  const Watcher watcher(client, k_cluster_backups, options, names);
  CHECK(names.wait_for("+a synced +b +c -a -b synced"));
}
