#include "kube/watcher.hpp"

#include "kube/retry.hpp"
#include "kube/watch_fsm.hpp"

#include <algorithm>
#include <optional>

namespace rb::kube {

namespace {

constexpr int k_ok = 200;
/// A watch that ends so little before its time ends in time.
constexpr std::chrono::seconds k_end_slack{5};

/// A watch that lived so long has ended for a reason of its own, such as a proxy that cuts idle
/// connections (HAProxy's 50 s): the waits before the next list do not grow.
constexpr std::chrono::seconds k_lived{10};

/// Of a page of several objects: whoever may make some must not be able to make the list too large
/// for us. One object is taken as large as the client takes an answer.
constexpr std::size_t k_page_limit_bytes = std::size_t{8} << 20U;

/// The call that the machine wants next.
using Call = std::variant<DoList, DoWatch>;

bool lists_from_the_start(const std::optional<Call>& call) {
  const auto* list = call ? std::get_if<DoList>(&*call) : nullptr;
  return list != nullptr && list->continue_token.empty();
}

} // namespace

void WatchHandler::on_trouble(const Error& /*error*/) {}

/// What the watcher's thread does. Lives on that thread.
struct Watcher::Loop {
  Client& client;
  ResourceType type;
  WatchOptions options;
  WatchHandler& handler;
  std::atomic<bool>& synced;
  std::atomic<bool>& current;
  WatchFsm fsm{};
  Backoff backoff{options.backoff};
  PageSize pages{options.page_size, options.page_size, k_page_limit_bytes};

  void run(const std::stop_token& stop) {
    std::optional<Call> call = deliver(fsm.start());
    while (call && !stop.stop_requested()) {
      const std::stop_token same_history = client.runtime().versions->same_history();
      std::stop_source either;
      const auto end_either = [&either] { either.request_stop(); };
      const std::stop_callback on_stop(stop, end_either);
      const std::stop_callback on_went_back(same_history, end_either);
      call = make(*call, either.get_token());
      if (same_history.stop_requested() && !lists_from_the_start(call)) {
        call = deliver(fsm.on(WentBack{}));
      }
    }
  }

  std::optional<Call> make(const Call& call, const std::stop_token& stop) {
    if (!pause(call, stop)) {
      return std::nullopt;
    }
    const auto* wanted = std::get_if<DoList>(&call);
    return wanted != nullptr ? list(*wanted, stop) : watch(std::get<DoWatch>(call), stop);
  }

  /// Tells the handler, and returns the call that comes next (none while a watch goes on).
  std::optional<Call> deliver(std::vector<WatchOutput> outputs) {
    std::optional<Call> call;
    for (WatchOutput& output : outputs) {
      if (auto* upsert = std::get_if<Upsert>(&output)) {
        handler.on_upsert(std::move(upsert->object));
      } else if (const auto* gone = std::get_if<Delete>(&output)) {
        handler.on_delete(gone->id);
      } else if (std::holds_alternative<Synced>(output)) {
        synced.store(true);
        current.store(true);
        handler.on_synced();
      } else if (const auto* report = std::get_if<Report>(&output)) {
        handler.on_trouble(report->error);
      } else if (std::holds_alternative<VersionsWentBack>(output)) {
        client.runtime().versions->went_back();
      } else if (auto* want_list = std::get_if<DoList>(&output)) {
        if (want_list->continue_token.empty()) {
          current.store(false);
        }
        call = std::move(*want_list);
      } else if (auto* want_watch = std::get_if<DoWatch>(&output)) {
        call = std::move(*want_watch);
      }
    }
    return call;
  }

  /// The wait before a call that follows a failure; false when it is time to stop.
  bool pause(const Call& call, const std::stop_token& stop) {
    const auto* list = std::get_if<DoList>(&call);
    if (list == nullptr || !list->after_failure) {
      return true;
    }
    const Runtime& runtime = client.runtime();
    const auto wait =
        backoff.next(runtime.clock->steady_now(), runtime.random(), list->retry_after);
    return runtime.waiter->wait(wait, stop);
  }

  std::optional<Call> fail(Error error, const std::stop_token& stop) {
    if (stop.stop_requested()) {
      return std::nullopt;
    }
    return deliver(fsm.on(CallFailed{std::move(error)}));
  }

  Result<ListPage> list_page(const std::string& continue_token, const std::stop_token& stop) {
    ListOptions wanted{options.label_selector, options.field_selector, pages.now(), false};
    wanted.body_limit_bytes =
        pages.now() == 1 ? 0 : std::min(k_page_limit_bytes, client.options().body_limit_bytes);
    return client.list_page(type, options.name_space, wanted, continue_token, stop);
  }

  std::optional<Call> list(const DoList& wanted, const std::stop_token& stop) {
    if (wanted.continue_token.empty() && fsm.synced()) {
      client.runtime().metrics->watch_restarted(type.plural, true);
    }
    auto page = list_page(wanted.continue_token, stop);
    // What is too large is so each time; what is late is asked for again after a pause.
    while (!page && pages.shrink(page.error()) && page.error().code == ErrorCode::unsupported) {
      page = list_page(wanted.continue_token, stop);
    }
    if (!page) {
      return fail(std::move(page).error(), stop);
    }
    pages.came(page->items.size(), page->body_bytes);
    if (page->continue_token.empty()) {
      pages.ended();
    }
    return deliver(fsm.on(Listed{std::move(page->items),
                                 std::move(page->resource_version),
                                 std::move(page->continue_token)}));
  }

  std::chrono::seconds draw_timeout() const {
    const auto span = options.server_timeout_most - options.server_timeout_least;
    return options.server_timeout_least +
           std::chrono::seconds(static_cast<std::int64_t>(static_cast<double>(span.count()) *
                                                          client.runtime().random()));
  }

  Result<Request> watch_request(const std::string& resource_version,
                                std::chrono::seconds timeout) const {
    Request request;
    RB_TRY_ASSIGN(request.path, collection_path(type, options.name_space));
    request.query = {{"watch", "1"},
                     {"resourceVersion", resource_version},
                     {"allowWatchBookmarks", "true"},
                     {"timeoutSeconds", std::to_string(timeout.count())}};
    if (!options.label_selector.empty()) {
      request.query.emplace_back("labelSelector", options.label_selector);
    }
    if (!options.field_selector.empty()) {
      request.query.emplace_back("fieldSelector", options.field_selector);
    }
    request.idle_timeout = timeout + options.idle_margin;
    return request;
  }

  std::optional<Call> watch(const DoWatch& wanted, const std::stop_token& stop) {
    const std::chrono::seconds timeout = draw_timeout();
    auto request = watch_request(wanted.resource_version, timeout);
    if (!request) {
      return fail(std::move(request).error(), stop);
    }
    LineFramer framer(options.line_limit_bytes);
    std::optional<Call> next;
    std::optional<Error> bad_line;
    const auto on_bytes = [&](std::string_view bytes) {
      auto more = framer.push(bytes, [&](std::string_view line) {
        next = deliver(fsm.on(LineReceived{line}));
        return !next && !stop.stop_requested();
      });
      if (!more) {
        bad_line = std::move(more).error();
        return false;
      }
      return *more;
    };
    const auto before = client.runtime().clock->steady_now();
    auto end = client.transport().stream(*request, on_bytes, stop);
    const std::chrono::duration<double> took = client.runtime().clock->steady_now() - before;
    client.runtime().metrics->request_done(
        "WATCH", end ? std::to_string(end->status) : "<error>", took.count());
    if (next || stop.stop_requested()) {
      return next;
    }
    client.runtime().metrics->watch_restarted(type.plural, false);
    if (took >= k_lived) {
      backoff.reset();
    }
    if (bad_line) {
      return fail(std::move(*bad_line), stop);
    }
    if (!end) {
      return fail(std::move(end).error(), stop);
    }
    if (end->status != k_ok) {
      return fail(error_from_response("WATCH " + request->path,
                                      end->status,
                                      end->retry_after,
                                      end->body,
                                      type.confidential),
                  stop);
    }
    return deliver(fsm.on(WatchEnded{took >= timeout - k_end_slack}));
  }
};

Watcher::Watcher(Client& client, ResourceType type, WatchOptions options, WatchHandler& handler)
    : m_thread([this, &client, type, options = std::move(options), &handler](
                   const std::stop_token& stop) {
        Loop{client, type, options, handler, m_synced, m_current}.run(stop);
      }) {}

Watcher::~Watcher() {
  stop();
}

void Watcher::stop() {
  m_thread.request_stop();
  if (m_thread.joinable()) {
    m_thread.join();
  }
}

} // namespace rb::kube
