#include "fake_api.hpp"

#include "base/json_fields.hpp"

#include <algorithm>

namespace rb::controller::test {

namespace {

kube::Response answer(int status, const nlohmann::json& body) {
  return {status, {}, body.dump()};
}

kube::Response
refusal(int status, const std::string& reason, const std::string& words = "refused by the fake") {
  return answer(status,
                {{"kind", "Status"},
                 {"apiVersion", "v1"},
                 {"status", "Failure"},
                 {"reason", reason},
                 {"message", words},
                 {"code", status}});
}

std::string without_status(const std::string& path) {
  const auto end = path.rfind("/status");
  return end != std::string::npos && end + 7 == path.size() ? path.substr(0, end) : path;
}

std::string query_value(const kube::Request& request, const std::string& key) {
  for (const auto& [name, value] : request.query) {
    if (name == key) {
      return value;
    }
  }
  return {};
}

/// "a=b" and "a!=b", joined by commas; "a" alone: the label is there.
bool matches(const nlohmann::json& object, const std::string& selector) {
  const auto labels = object.at("metadata").value("labels", nlohmann::json::object());
  std::size_t at = 0;
  while (at < selector.size()) {
    const std::size_t end = std::min(selector.find(',', at), selector.size());
    const std::string term = selector.substr(at, end - at);
    at = end + 1;
    const auto equals = term.find('=');
    const bool negated = equals != std::string::npos && equals > 0 && term[equals - 1] == '!';
    const std::string key = term.substr(0, negated ? equals - 1 : equals);
    const bool holds = equals == std::string::npos
                           ? labels.contains(key)
                           : labels.value(key, "") == term.substr(equals + 1);
    if (holds == negated) {
      return false;
    }
  }
  return true;
}

/// Of a collection's path: whether the object's path lies in it (in any namespace, where the
/// collection names none).
bool in_collection(const std::string& object, const std::string& collection) {
  const auto slash = object.rfind('/');
  const std::string parent = object.substr(0, slash);
  if (parent == collection) {
    return true;
  }
  const auto plural = collection.rfind('/');
  return parent.find(collection.substr(0, plural) + "/namespaces/") == 0 &&
         parent.substr(parent.rfind('/')) == collection.substr(plural);
}

/// Server-side apply: of the conditions, a list whose key is the type, those that are given. An
/// apply that changes nothing keeps the version.
void apply(nlohmann::json& stored, nlohmann::json given) {
  const nlohmann::json before = stored;
  const auto at = nlohmann::json::json_pointer("/status/conditions");
  if (given.contains(at) && stored.contains(at)) {
    nlohmann::json conditions = stored.at(at);
    for (const nlohmann::json& condition : given.at(at)) {
      const auto known = std::ranges::find_if(
          conditions, [&](const auto& it) { return it.at("type") == condition.at("type"); });
      if (known == conditions.end()) {
        conditions.push_back(condition);
      } else {
        *known = condition;
      }
    }
    given[at] = std::move(conditions);
  }
  stored.merge_patch(given);
  auto& metadata = stored["metadata"];
  if (stored != before && metadata.contains("resourceVersion")) {
    metadata["resourceVersion"] =
        std::to_string(std::stoi(metadata["resourceVersion"].get<std::string>()) + 1);
  }
}

bool is_collection(const std::string& path) {
  const std::string last = path.substr(path.rfind('/') + 1);
  return last == "secrets" || last == "configmaps" || last == "clusterbackups" ||
         last == "nodebackups" || last == "backupstatuses" || last == "namespaces" ||
         last == "helmcharts";
}

} // namespace

std::size_t FakeApi::count(const std::string& call_prefix) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      calls, [&](const std::string& call) { return call.find(call_prefix) == 0; }));
}

kube::Response FakeApi::list(const kube::Request& request) const {
  std::vector<std::reference_wrapper<const nlohmann::json>> items;
  const std::string type = query_value(request, "fieldSelector");
  for (const auto& [path, object] : objects) {
    if (in_collection(path, request.path) &&
        matches(object, query_value(request, "labelSelector")) &&
        (type.empty() || "type=" + object.value("type", "") == type)) {
      items.emplace_back(object);
    }
  }
  const std::string token = query_value(request, "continue");
  const std::string limit_text = query_value(request, "limit");
  const std::size_t start = token.empty() ? 0 : std::stoul(token);
  const std::size_t limit = limit_text.empty() ? items.size() : std::stoul(limit_text);
  nlohmann::json page = nlohmann::json::array();
  const bool metadata_only = request.accept.find("PartialObjectMetadata") != std::string::npos;
  for (std::size_t i = start; i < std::min(items.size(), start + limit); ++i) {
    page.push_back(metadata_only ? nlohmann::json{{"metadata", items[i].get().at("metadata")}}
                                 : items[i].get());
  }
  const std::string next = start + limit < items.size() ? std::to_string(start + limit) : "";
  return answer(200,
                {{"kind", "List"},
                 {"metadata", {{"resourceVersion", "1"}, {"continue", next}}},
                 {"items", page}});
}

kube::Response FakeApi::create(const kube::Request& request) {
  nlohmann::json object = json_of(request.body);
  const std::string path = request.path + "/" + object.at("metadata").at("name").get<std::string>();
  if (objects.contains(path)) {
    return refusal(409, "AlreadyExists");
  }
  object["metadata"]["uid"] = "made-" + std::to_string(objects.size());
  object["metadata"]["resourceVersion"] = "1";
  objects[path] = object;
  return answer(201, object);
}

Result<kube::Response> FakeApi::send(const kube::Request& request, std::stop_token) {
  const std::lock_guard lock(m_mutex);
  kube::Response response = work(request);
  if (before_answer) {
    before_answer(request);
  }
  if (response.body.size() > request.body_limit_bytes) {
    return Error{
        ErrorCode::unsupported, request.path + ": the answer is larger than our limit", {}};
  }
  return response;
}

kube::Response FakeApi::work(const kube::Request& request) {
  calls.push_back(std::string(to_string(request.method)) + " " + request.path);
  const int failure = fail ? fail(request) : 0;
  if (failure != 0) {
    return refusal(failure, failure == 409 ? "Conflict" : "Injected", words);
  }
  const std::string path = without_status(request.path);
  const auto found = objects.find(path);
  switch (request.method) {
  case kube::Method::get:
    if (found != objects.end()) {
      return answer(200, found->second);
    }
    return is_collection(path) ? list(request) : refusal(404, "NotFound");
  case kube::Method::post:
    return create(request);
  case kube::Method::put: {
    if (found == objects.end()) {
      return refusal(404, "NotFound");
    }
    const nlohmann::json object = json_of(request.body);
    nlohmann::json& stored = found->second;
    if (object.at("metadata").at("resourceVersion") !=
        stored.at("metadata").at("resourceVersion")) {
      return refusal(409, "Conflict");
    }
    stored["status"] = object.at("status");
    stored["metadata"]["resourceVersion"] =
        std::to_string(std::stoi(stored["metadata"]["resourceVersion"].get<std::string>()) + 1);
    return answer(200, stored);
  }
  case kube::Method::remove:
    return objects.erase(path) == 1 ? answer(200, {{"kind", "Status"}}) : refusal(404, "NotFound");
  case kube::Method::patch:
    if (found == objects.end()) {
      return refusal(404, "NotFound");
    }
    if (request.content_type == "application/apply-patch+yaml") {
      apply(found->second, json_of(request.body));
    } else if (request.content_type == "application/json-patch+json") {
      try {
        found->second = found->second.patch(json_of(request.body));
      } catch (const nlohmann::json::exception&) { // a test that does not hold
        return refusal(422, "Invalid");
      }
    } else {
      found->second.merge_patch(json_of(request.body));
    }
    return answer(200, found->second);
  }
  return refusal(405, "MethodNotAllowed");
}

} // namespace rb::controller::test
