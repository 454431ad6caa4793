// The watch machine against a model of an API server that changes, forgets, cuts connections and
// lies about nothing else: whatever happened, once the faults end the mirror is the server's state.
#include "kube_random.hpp"

#include "kube/watch_fsm.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <vector>

using namespace rb;
using namespace rb::kube;
using nlohmann::json;
using rb::kube::test::Chance;

namespace {

using State = std::map<std::string, std::pair<std::string, int>>; ///< Name to uid and version.

struct Event {
  std::string type;
  std::string name;
  std::string uid;
  int version = 0;
};

json object(const std::string& name, const std::string& uid, int version) {
  return {
      {"metadata", {{"name", name}, {"uid", uid}, {"resourceVersion", std::to_string(version)}}}};
}

/// What an API server does with one kind of object.
class ModelServer {
public:
  explicit ModelServer(Chance& chance) : m_chance(chance) {}

  void change() {
    const std::string name = "n" + std::to_string(m_chance.up_to(5));
    const auto found = m_state.find(name);
    ++m_version;
    if (found == m_state.end()) {
      m_state[name] = {"u" + std::to_string(m_version), m_version};
      m_log.push_back({"ADDED", name, m_state[name].first, m_version});
    } else if (m_chance.once_in(2)) {
      found->second.second = m_version;
      m_log.push_back({"MODIFIED", name, found->second.first, m_version});
    } else {
      m_log.push_back({"DELETED", name, found->second.first, m_version});
      m_state.erase(found);
    }
  }
  void forget() { m_forgotten = m_version; }
  void take_snapshot() { m_saved = {m_state, m_log, m_version, m_forgotten}; }
  /// As etcd does: what came after the snapshot never was, and the versions are given again.
  void restore() {
    m_state = m_saved.state;
    m_log = m_saved.log;
    m_version = m_saved.version;
    m_forgotten = m_saved.forgotten;
    // k3s writes a lot at its start: the versions may have passed those of before at once.
    for (std::size_t writes = m_chance.up_to(12); writes > 0; --writes) {
      change();
    }
  }

  /// Pages of one snapshot, as with a continue token.
  Listed page(const std::string& token, std::size_t size) {
    if (token.empty()) {
      m_snapshot.assign(m_state.begin(), m_state.end());
      m_snapshot_version = m_version;
    }
    std::size_t at = token.empty() ? 0 : std::stoul(token);
    Listed listed{json::array(), std::to_string(m_snapshot_version), {}};
    for (const std::size_t end = std::min(at + size, m_snapshot.size()); at < end; ++at) {
      const auto& [name, entry] = m_snapshot[at];
      listed.items.push_back(object(name, entry.first, entry.second));
    }
    if (at < m_snapshot.size()) {
      listed.continue_token = std::to_string(at);
    }
    return listed;
  }
  bool snapshot_is_forgotten() const { return m_snapshot_version < m_forgotten; }

  /// The events after `version`, or nullopt when they are forgotten. After a version of the future:
  /// none, without a word.
  std::optional<std::vector<Event>> since(int version) const {
    if (version < m_forgotten) {
      return std::nullopt;
    }
    std::vector<Event> events;
    for (const Event& event : m_log) {
      if (event.version > version) {
        events.push_back(event);
      }
    }
    return events;
  }

  const State& state() const { return m_state; }
  int version() const { return m_version; }

private:
  struct Saved {
    State state;
    std::vector<Event> log;
    int version = 1;
    int forgotten = 0;
  };

  Chance& m_chance;
  State m_state;
  std::vector<Event> m_log;
  Saved m_saved;
  int m_version = 1;
  int m_forgotten = 0;
  std::vector<std::pair<std::string, std::pair<std::string, int>>> m_snapshot;
  int m_snapshot_version = 0;
};

/// The machine, its mirror, and a world that may fail.
class Driver {
public:
  Driver(Chance& chance, ModelServer& server) : m_chance(chance), m_server(server) {
    apply(m_fsm.start());
  }

  bool faults = true;
  bool outage = false; ///< The next call finds nobody.

  /// One list page or one watch.
  void step() {
    REQUIRE(m_wish.has_value());
    const WatchOutput wish = *m_wish;
    m_wish.reset();
    if (std::exchange(outage, false)) {
      fail(ErrorCode::unavailable);
    } else if (const auto* list = std::get_if<DoList>(&wish)) {
      do_list(list->continue_token);
    } else {
      do_watch(std::stoi(std::get<DoWatch>(wish).resource_version));
    }
  }

  const State& mirror() const { return m_mirror; }
  bool up_to_date() const {
    return m_fsm.synced() && m_fsm.resource_version() == std::to_string(m_server.version());
  }

private:
  void fail(ErrorCode code) { apply(m_fsm.on(CallFailed{Error{code, "x", {}}})); }

  void do_list(const std::string& token) {
    if (faults && m_chance.once_in(6)) {
      fail(ErrorCode::unavailable);
    } else if (!token.empty() && m_server.snapshot_is_forgotten()) {
      fail(ErrorCode::gone);
    } else {
      apply(m_fsm.on(m_server.page(token, 1 + m_chance.up_to(3))));
    }
  }

  void do_watch(int version) {
    const auto events = m_server.since(version);
    if (!events) {
      gone();
      return;
    }
    for (const Event& event : *events) {
      if (faults && m_chance.once_in(8)) {
        break; // cut short
      }
      const json line{{"type", event.type},
                      {"object", object(event.name, event.uid, event.version)}};
      apply(m_fsm.on(LineReceived{line.dump()}));
      REQUIRE_FALSE(m_wish.has_value());
    }
    if (faults && m_chance.once_in(3)) {
      fail(m_chance.once_in(2) ? ErrorCode::unavailable : ErrorCode::timeout);
    } else {
      apply(m_fsm.on(WatchEnded{m_chance.once_in(2)}));
    }
  }

  /// As the status of the watch, or in its stream.
  void gone() {
    if (m_chance.once_in(2)) {
      fail(ErrorCode::gone);
    } else {
      const json line{{"type", "ERROR"}, {"object", {{"kind", "Status"}, {"code", 410}}}};
      apply(m_fsm.on(LineReceived{line.dump()}));
    }
  }

  void apply(std::vector<WatchOutput> outputs) {
    for (WatchOutput& output : outputs) {
      if (const auto* upsert = std::get_if<Upsert>(&output)) {
        const json& metadata = upsert->object["metadata"];
        m_mirror[metadata["name"]] = {metadata["uid"],
                                      std::stoi(metadata["resourceVersion"].get<std::string>())};
      } else if (const auto* gone = std::get_if<Delete>(&output)) {
        const auto found = m_mirror.find(gone->id.name);
        REQUIRE(found != m_mirror.end()); // never a delete of what was not told
        CHECK(found->second.first == gone->id.uid);
        m_mirror.erase(found);
      } else if (std::holds_alternative<DoList>(output) ||
                 std::holds_alternative<DoWatch>(output)) {
        REQUIRE_FALSE(m_wish.has_value()); // one wish at a time
        m_wish = std::move(output);
      }
    }
  }

  Chance& m_chance;
  ModelServer& m_server;
  WatchFsm m_fsm;
  State m_mirror;
  std::optional<WatchOutput> m_wish;
};

} // namespace

TEST_CASE("after any history of changes, faults and restores the mirror is the server's state") {
  for (std::uint64_t round = 0; round < 2000; ++round) {
    CAPTURE(Chance::seed());
    CAPTURE(round);
    Chance chance(Chance::seed() + round);
    ModelServer server(chance);
    Driver driver(chance, server);
    const std::size_t steps = chance.up_to(60);
    for (std::size_t i = 0; i < steps; ++i) {
      for (std::size_t changes = chance.up_to(4); changes > 0; --changes) {
        server.change();
      }
      if (chance.once_in(10)) {
        server.forget();
      }
      if (chance.once_in(8)) {
        server.take_snapshot();
      }
      if (chance.once_in(12)) {
        server.restore(); // with the server down meanwhile
        driver.outage = true;
      }
      driver.step();
    }
    driver.faults = false;
    for (int i = 0; i < 40 && !(driver.up_to_date() && driver.mirror() == server.state()); ++i) {
      driver.step();
    }
    REQUIRE(driver.mirror() == server.state());
  }
}

TEST_CASE("lines come out the same however the bytes are cut") {
  for (std::uint64_t round = 0; round < 2000; ++round) {
    CAPTURE(Chance::seed());
    CAPTURE(round);
    Chance chance(Chance::seed() + round);
    std::vector<std::string> lines;
    std::string bytes;
    for (std::size_t i = chance.up_to(20); i > 0; --i) {
      std::string line;
      for (std::size_t k = chance.up_to(30); k > 0; --k) {
        line.push_back("ab{\r \xff"[chance.up_to(5)]);
      }
      bytes += line + "\n";
      if (!line.empty()) {
        lines.push_back(line);
      }
    }
    std::vector<std::string> seen;
    LineFramer framer(30);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + chance.up_to(12);
      REQUIRE(framer.push(std::string_view(bytes).substr(at, size), [&](std::string_view line) {
        seen.emplace_back(line);
        return true;
      }));
      at += size;
    }
    REQUIRE(seen == lines);
    CHECK(framer.pending_bytes() == 0);
  }
}
