#include "kube/client.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "kube/retry.hpp"

#include <algorithm>

namespace rb::kube {

namespace {

using nlohmann::json;

constexpr std::string_view k_json = "application/json";
constexpr std::string_view k_metadata_only =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
constexpr const char* k_continue = "continue";
constexpr int k_list_restarts = 3;
constexpr int k_first_error_status = 300;

std::string what(const Request& request) {
  return std::string(to_string(request.method)) + " " + request.path;
}

/// An item of a list lies below the list's object and its array.
constexpr int k_item_depth = 3;
constexpr int k_object_depth = 1;

/// `depth` is that of an object's own keys in the body; what encloses the object is kept.
JsonKeep keep_at(int depth, KeepKey keep) {
  return keep == nullptr ? JsonKeep() : [depth, keep](int at, std::string_view key) {
    return at < depth || keep(at - depth, key);
  };
}

Result<json> parse(const std::string& subject, const std::string& body, const JsonKeep& keep = {}) {
  json parsed = json_of(body, keep);
  if (!parsed.is_object()) {
    return Error{ErrorCode::corrupt, subject + ": the answer is not a JSON object", {}};
  }
  return parsed;
}

std::string_view content_type_of(PatchType type) {
  switch (type) {
  case PatchType::merge:
    return "application/merge-patch+json";
  case PatchType::json:
    return "application/json-patch+json";
  case PatchType::apply:
    return "application/apply-patch+yaml"; // JSON is YAML
  }
  return {};
}

/// Bodies come from us, but may carry text from elsewhere: bad UTF-8 is replaced, never thrown.
std::string dump(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Error no_name(std::string_view plural) {
  return {ErrorCode::invalid_argument, std::string(plural) + ": metadata.name is missing", {}};
}

} // namespace

Client::Client(Transport& transport, Runtime runtime, ClientOptions options)
    : m_transport(transport), m_runtime(std::move(runtime)), m_options(std::move(options)) {}

Result<Response>
Client::attempt(const Request& request, const ResourceType& type, const std::stop_token& stop) {
  const auto before = m_runtime.clock->steady_now();
  auto response = m_transport.send(request, stop);
  const std::chrono::duration<double> took = m_runtime.clock->steady_now() - before;
  m_runtime.metrics->request_done(to_string(request.method),
                                  response ? std::to_string(response->status) : "<error>",
                                  took.count());
  if (response && response->status >= k_first_error_status) {
    return error_from_response(
        what(request), response->status, response->retry_after, response->body, type.confidential);
  }
  return response;
}

Result<Response> Client::call(Request request,
                              const ResourceType& type,
                              const std::stop_token& stop,
                              std::size_t body_limit_bytes) {
  request.timeout = m_options.request_timeout;
  request.body_limit_bytes = body_limit_bytes == 0 ? m_options.body_limit_bytes : body_limit_bytes;
  request.user_agent = m_options.user_agent;
  Backoff backoff(m_options.backoff);
  for (unsigned done = 1;; ++done) {
    auto response = attempt(request, type, stop);
    if (response || done >= m_options.attempts || !may_resend(request.method, response.error())) {
      return response;
    }
    const auto wait = backoff.next(
        m_runtime.clock->steady_now(), m_runtime.random(), response.error().retry_after);
    if (!m_runtime.waiter->wait(wait, stop)) {
      return Error{ErrorCode::cancelled, what(request) + ": stopped", {}};
    }
  }
}

Result<json> Client::call_json(Request request,
                               const ResourceType& type,
                               const std::stop_token& stop,
                               const Reading& reading) {
  const std::string subject = what(request);
  const std::string path = request.path;
  // A further page has the version of the first one, however old that is.
  const bool is_present = std::ranges::none_of(
      request.query, [](const auto& parameter) { return parameter.first == k_continue; });
  const std::string before = m_runtime.versions->known(path);
  RB_TRY_ASSIGN(const Response response,
                call(std::move(request), type, stop, reading.body_limit_bytes));
  RB_TRY_ASSIGN(json answer, parse(subject, response.body, keep_at(reading.depth, reading.keep)));
  if (is_present) {
    m_runtime.versions->answered(path, json_text(metadata_of(answer), "resourceVersion"), before);
  }
  if (reading.body_bytes != nullptr) {
    *reading.body_bytes = response.body.size();
  }
  return answer;
}

Result<json> Client::get(const ObjectRef& ref, std::stop_token stop, KeepKey keep) {
  Request request;
  RB_TRY_ASSIGN(request.path, object_path(ref));
  return call_json(std::move(request), ref.type, stop, {.keep = keep, .depth = k_object_depth});
}

Result<ListPage> Client::list_page(const ResourceType& type,
                                   std::string_view name_space,
                                   const ListOptions& options,
                                   const std::string& continue_token,
                                   std::stop_token stop) {
  Request request;
  RB_TRY_ASSIGN(request.path, collection_path(type, name_space));
  const auto add = [&request](const char* name, const std::string& value) {
    if (!value.empty()) {
      request.query.emplace_back(name, value);
    }
  };
  add("labelSelector", options.label_selector);
  add("fieldSelector", options.field_selector);
  add("limit", options.page_size == 0 ? std::string() : std::to_string(options.page_size));
  add(k_continue, continue_token);
  if (options.metadata_only) {
    request.accept = k_metadata_only;
  }
  const std::string subject = what(request);
  ListPage page;
  RB_TRY_ASSIGN(json list,
                call_json(std::move(request),
                          type,
                          stop,
                          {.keep = options.keep,
                           .depth = k_item_depth,
                           .body_limit_bytes = options.body_limit_bytes,
                           .body_bytes = &page.body_bytes}));
  page.resource_version = json_text(metadata_of(list), "resourceVersion");
  page.continue_token = json_text(metadata_of(list), "continue");
  auto items = list.find("items");
  if (page.resource_version.empty() || items == list.end() ||
      !(items->is_array() || items->is_null())) {
    return Error{ErrorCode::corrupt, subject + ": the answer is not a list", {}};
  }
  page.items = items->is_null() ? json::array() : std::move(*items);
  return page;
}

Status Client::list(const ResourceType& type,
                    std::string_view name_space,
                    const ListOptions& options,
                    const PageHandler& handler,
                    std::stop_token stop) {
  std::string token;
  int restarts = 0;
  ListOptions smaller = options;
  PageSize pages(options.page_size, options.page_size, m_options.body_limit_bytes);
  while (true) {
    smaller.page_size = pages.now();
    auto page = list_page(type, name_space, smaller, token, stop);
    if (!page) {
      if (page.error().code == ErrorCode::unsupported && pages.shrink(page.error())) {
        continue;
      }
      if (page.error().code == ErrorCode::gone && !token.empty() && restarts < k_list_restarts) {
        ++restarts;
        token.clear();
        continue;
      }
      return std::move(page).error();
    }
    pages.came(page->items.size(), page->body_bytes);
    const bool first = token.empty();
    token = page->continue_token;
    RB_TRY(handler(std::move(page).value(), first));
    if (token.empty()) {
      return {};
    }
  }
}

Result<json> Client::list_all(const ResourceType& type,
                              std::string_view name_space,
                              const ListOptions& options,
                              std::stop_token stop) {
  json all = json::array();
  RB_TRY(list(
      type,
      name_space,
      options,
      [&all](ListPage page, bool first) -> Status {
        if (first) {
          all.clear();
        }
        for (json& item : page.items) {
          all.push_back(std::move(item));
        }
        return {};
      },
      stop));
  return all;
}

Result<json> Client::create(const ResourceType& type,
                            std::string_view name_space,
                            const json& object,
                            std::stop_token stop) {
  const std::string name = json_text(metadata_of(object), "name");
  if (name.empty()) {
    return no_name(type.plural);
  }
  RB_TRY(check_name(name));
  Request request;
  request.method = Method::post;
  RB_TRY_ASSIGN(request.path, collection_path(type, name_space));
  request.content_type = k_json;
  request.body = dump(object);
  return call_json(std::move(request), type, stop, {});
}

Result<json> Client::replace(const ObjectRef& ref, const json& object, std::stop_token stop) {
  Request request;
  request.method = Method::put;
  RB_TRY_ASSIGN(request.path, object_path(ref));
  if (json_text(metadata_of(object), "resourceVersion").empty()) {
    return Error{
        ErrorCode::invalid_argument, what(request) + ": metadata.resourceVersion is missing", {}};
  }
  request.content_type = k_json;
  request.body = dump(object);
  return call_json(std::move(request), ref.type, stop, {});
}

Result<json> Client::patch(const ObjectRef& ref,
                           PatchType type,
                           const json& patch,
                           std::stop_token stop,
                           std::string_view field_manager) {
  Request request;
  request.method = Method::patch;
  RB_TRY_ASSIGN(request.path, object_path(ref));
  if (!field_manager.empty()) {
    request.query.emplace_back("fieldManager", field_manager);
  }
  if (type == PatchType::apply) {
    request.query.emplace_back("force", "true");
  }
  request.content_type = content_type_of(type);
  request.body = dump(patch);
  return call_json(std::move(request), ref.type, stop, {});
}

Status Client::remove(const ObjectRef& ref, std::string_view uid, std::stop_token stop) {
  Request request;
  request.method = Method::remove;
  RB_TRY_ASSIGN(request.path, object_path(ref));
  json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  options["propagationPolicy"] = "Background";
  if (!uid.empty()) {
    options["preconditions"] = {{"uid", uid}};
  }
  request.content_type = k_json;
  request.body = dump(options);
  RB_TRY(call(std::move(request), ref.type, stop));
  return {};
}

} // namespace rb::kube
