#include "fakes.hpp"

#include "base/json_fields.hpp"
#include "kube/watcher.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// Writes down what it is told, and lets a test wait for a word.
class Diary final : public WatchHandler {
public:
  void on_upsert(json object) override {
    note("upsert " + object["metadata"]["name"].get<std::string>());
  }
  void on_delete(const ObjectId& id) override { note("delete " + id.name); }
  void on_synced() override { note("synced"); }
  void on_trouble(const Error& error) override {
    note("trouble " + std::string(to_string(error.code)));
  }

  bool wait_for(const std::string& word, int times = 1) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(
        lock, 10s, [&] { return std::count(m_words.begin(), m_words.end(), word) >= times; });
  }
  std::vector<std::string> words() {
    const std::lock_guard lock(m_mutex);
    return m_words;
  }

private:
  void note(std::string word) {
    const std::lock_guard lock(m_mutex);
    m_words.push_back(std::move(word));
    m_changed.notify_all();
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<std::string> m_words;
};

/// Gives the lines, then ends as told.
FakeTransport::StreamAnswer lines(
    std::vector<std::string> texts, Result<StreamEnd> end, std::function<void()> before_end = [] {
    }) {
  return [texts = std::move(texts), end = std::move(end), before_end = std::move(before_end)](
             const Request&, const ByteSink& sink, const std::stop_token&) -> Result<StreamEnd> {
    for (const std::string& text : texts) {
      if (!sink(text + "\n")) {
        return StreamEnd{200, 0s, "", true};
      }
    }
    before_end();
    return end;
  };
}

/// Says nothing until it is stopped.
Result<StreamEnd> hang(const Request&, const ByteSink&, const std::stop_token& stop) {
  std::promise<void> stopped;
  const std::stop_callback callback(stop, [&] { stopped.set_value(); });
  stopped.get_future().wait();
  return Error{ErrorCode::cancelled, "stopped", {}};
}

const StreamEnd k_clean{200, 0s, "", false};

} // namespace

TEST_CASE("a watcher lists, watches, resumes after an end in time and lists after all else") {
  World world;
  world.transport.answer(200, list_body("10", json::array({object("a", "9", "u-a")})));
  world.transport.answer_stream(lines({event_line("ADDED", object("b", "11", "u-b"))},
                                      k_clean,
                                      [&] { world.clock.advance(270s); }));
  world.transport.answer_stream(lines({event_line("MODIFIED", object("b", "12", "u-b"))},
                                      Error{ErrorCode::unavailable, "lost", {}}));
  world.transport.answer(200, list_body("20", json::array({object("a", "9", "u-a")})));
  world.transport.answer_stream(
      lines({}, StreamEnd{410, 0s, status_body(410, "Expired", "old"), false}));
  world.transport.answer(200, list_body("30", json::array({object("c", "29", "u-c")})));
  world.transport.otherwise_stream = hang;

  Client client = world.client();
  Diary diary;
  {
    const Watcher watcher(client, k_cluster_backups, {}, diary);
    REQUIRE(diary.wait_for("synced", 3));
    CHECK(watcher.synced());
    CHECK(watcher.current());
  }
  CHECK(diary.words() == std::vector<std::string>{"upsert a",
                                                  "synced",
                                                  "upsert b",
                                                  "upsert b",
                                                  "trouble unavailable",
                                                  "upsert a",
                                                  "delete b",
                                                  "synced",
                                                  "trouble gone",
                                                  "upsert c",
                                                  "delete a",
                                                  "synced"});
  CHECK(world.transport.query(1, "resourceVersion") == "10");
  CHECK(world.transport.query(2, "resourceVersion") == "11");
  CHECK(world.transport.query(4, "resourceVersion") == "20");
  CHECK(world.transport.query(1, "allowWatchBookmarks") == "true");
  CHECK(world.transport.query(1, "timeoutSeconds") == "270");
  CHECK(world.transport.request(1).idle_timeout == 275s);
}

TEST_CASE("etcd is restored: the first answer with a smaller version makes every watch list anew") {
  World world;
  world.transport.otherwise_stream = hang; // as a server is to a watch from the future
  const Runtime shared = world.runtime();
  Client client(world.transport, shared);
  FakeTransport elsewhere; // another connection to the same server
  Client leases(elsewhere, shared);
  const ObjectRef lease{k_leases, "n", "l", {}};
  elsewhere.answer(200, object("l", "1200", "u-l", "n").dump());
  REQUIRE(leases.get(lease));

  world.transport.answer(200, list_body("1100", json::array({object("gone", "1090", "u-g")})));
  Diary diary;
  const Watcher watcher(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced"));
  world.transport.answer(200, list_body("900", json::array({object("restored", "800", "u-r")})));

  elsewhere.answer(200, object("l", "1200", "u-l", "n").dump()); // as it was: proves nothing
  REQUIRE(leases.get(lease));
  CHECK(watcher.current());
  elsewhere.answer(200, object("l", "901", "u-l", "n").dump());
  REQUIRE(leases.get(lease));
  REQUIRE(diary.wait_for("synced", 2));
  CHECK(diary.words() ==
        std::vector<std::string>{
            "upsert gone", "synced", "trouble gone", "upsert restored", "delete gone", "synced"});
}

TEST_CASE("the list of one watch that went back makes the others list anew, too, and only once") {
  World world;
  const Runtime shared = world.runtime();
  Client client(world.transport, shared);
  world.transport.otherwise_stream = hang;
  world.transport.answer(200, list_body("1000", json::array({object("a", "990", "u-a")})));
  Diary silent;
  const Watcher one(client, k_cluster_backups, {}, silent);
  REQUIRE(silent.wait_for("synced"));

  FakeTransport other_kind;
  Client other(other_kind, shared);
  other_kind.otherwise_stream = hang;
  other_kind.answer(200, list_body("1000", json::array()));
  other_kind.answer_stream(lines({}, Error{ErrorCode::unavailable, "reset", {}}));
  other_kind.otherwise = [](const Request&) -> Result<Response> {
    return Response{200, 0s, list_body("700", json::array())};
  };
  world.transport.otherwise = [](const Request&) -> Result<Response> {
    return Response{200, 0s, list_body("701", json::array())};
  };
  Diary noticing;
  const Watcher two(other, k_node_backups, {}, noticing);
  REQUIRE(silent.wait_for("delete a"));
  REQUIRE(silent.wait_for("synced", 2));
  std::this_thread::sleep_for(50ms);
  CHECK(world.transport.count() == 4); // list, watch, list, watch
}

TEST_CASE("an API server that is away is tried with growing waits, and missed nothing after") {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.transport.fail({ErrorCode::timeout, "away", {}});
  }
  world.transport.answer(200, list_body("10", json::array()));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  const Watcher watcher(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced"));
  CHECK(world.waiter.waits() ==
        std::vector<std::chrono::milliseconds>{600ms, 1200ms, 2400ms, 4800ms, 9600ms});
}

TEST_CASE(
    "a proxy that cuts idle watches makes no wait grow, and one that ends them at once does") {
  World world;
  std::chrono::milliseconds lived = 50s;
  std::vector<std::chrono::milliseconds> waits(4, 600ms);
  SUBCASE("after 50 s") {}
  SUBCASE("at once") {
    lived = 1s;
    waits = {600ms, 1200ms, 2400ms, 4800ms};
  }
  for (int i = 0; i < 4; ++i) {
    world.transport.answer(200, list_body("10", json::array()));
    world.transport.answer_stream(lines({},
                                        Error{ErrorCode::unavailable, "lost before the end", {}},
                                        [&] { world.clock.advance(lived); }));
  }
  world.transport.answer(200, list_body("10", json::array()));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  const Watcher watcher(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced", 5));
  CHECK(world.waiter.waits() == waits);
}

TEST_CASE("objects too large for one page come in smaller ones, and nothing is told of it") {
  World world;
  std::atomic<int> pages{0};
  // As with some hundred objects whose labels fill etcd's 1.5 MiB.
  world.transport.otherwise = [&](const Request& request) -> Result<Response> {
    const auto value = [&](const std::string& name) {
      const auto found =
          std::ranges::find(request.query, name, &std::pair<std::string, std::string>::first);
      return found == request.query.end() ? std::string() : found->second;
    };
    if (std::stoi(value("limit")) > 5) {
      return Error{ErrorCode::unsupported, "the answer is larger than our limit", {}};
    }
    const int page = value("continue").empty() ? 0 : std::stoi(value("continue"));
    json large = object("o" + std::to_string(page), "9", "u" + std::to_string(page));
    large["metadata"]["labels"] = {{"a", std::string(std::size_t{1} << 20U, 'x')}};
    ++pages;
    return Response{
        200, 0s, list_body("10", json::array({large}), page == 2 ? "" : std::to_string(page + 1))};
  };
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  {
    const Watcher watcher(client, k_cluster_backups, {}, diary);
    REQUIRE(diary.wait_for("synced"));
    CHECK(watcher.current());
  }
  CHECK(diary.words() == std::vector<std::string>{"upsert o0", "upsert o1", "upsert o2", "synced"});
  CHECK(pages == 3);
  CHECK(world.transport.query(7, "limit") == "3"); // after 500, 250, 125, 62, 31, 15 and 7
  CHECK(world.transport.request(0).body_limit_bytes < client.options().body_limit_bytes);
  CHECK(world.waiter.waits().empty());
}

TEST_CASE("a page that does not come in time is told, and asked for again with fewer objects") {
  World world;
  world.transport.fail({ErrorCode::timeout, "no answer in time", {}});
  world.transport.answer(200, list_body("10", json::array({object("a", "9")})));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  const Watcher watcher(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced"));
  CHECK(diary.words() == std::vector<std::string>{"trouble timeout", "upsert a", "synced"});
  CHECK(world.transport.query(0, "limit") == "500");
  CHECK(world.transport.query(1, "limit") == "125");
}

TEST_CASE("a line that is too long ends the watch and is told") {
  World world;
  world.transport.answer(200, list_body("10", json::array()));
  world.transport.answer_stream(lines({std::string(200, 'x')}, k_clean));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  WatchOptions options;
  options.line_limit_bytes = 100;
  const Watcher watcher(client, k_cluster_backups, options, diary);
  CHECK(diary.wait_for("trouble unsupported"));
}

TEST_CASE("a 410 in the stream ends the watch at once") {
  World world;
  world.transport.answer(200, list_body("10", json::array()));
  const json expired = json_of(status_body(410, "Expired", "old"));
  world.transport.answer_stream(
      lines({event_line("ERROR", expired), event_line("ADDED", object("never", "12"))}, k_clean));
  world.transport.answer(200, list_body("20", json::array({object("a", "19")})));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  const Watcher watcher(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced", 2));
  CHECK(diary.words() == std::vector<std::string>{"synced", "trouble gone", "upsert a", "synced"});
}

TEST_CASE("a watcher stops while it waits, and while the server says nothing") {
  World world;
  world.transport.answer(200, list_body("10", json::array()));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  Watcher silent(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced"));
  silent.stop();

  FakeTransport away;
  Client real_time(away);
  Watcher waiting(real_time, k_cluster_backups, {}, diary);
  waiting.stop();
  CHECK(diary.words().front() == "synced");
}

TEST_CASE("a kind that is not there is told, and tried on") {
  World world;
  world.transport.answer(404, "404 page not found");
  world.transport.answer(200, list_body("10", json::array()));
  world.transport.otherwise_stream = hang;
  Client client = world.client();
  Diary diary;
  const Watcher watcher(client, k_cluster_backups, {}, diary);
  REQUIRE(diary.wait_for("synced"));
  CHECK(diary.words() == std::vector<std::string>{"trouble not_found", "synced"});
}
