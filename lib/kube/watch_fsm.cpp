#include "kube/watch_fsm.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "kube/resource.hpp"
#include "kube/retry.hpp"

namespace rb::kube {

Result<bool> LineFramer::push(std::string_view bytes, const LineSink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (m_pending.size() + piece.size() > m_limit_bytes) {
      return Error{ErrorCode::unsupported,
                   "a line of the watch is longer than " + std::to_string(m_limit_bytes) + " bytes",
                   {}};
    }
    if (end == std::string_view::npos) {
      m_pending.append(piece);
      return true;
    }
    bytes.remove_prefix(end + 1);
    bool more = true;
    if (m_pending.empty()) {
      more = piece.empty() || sink(piece);
    } else {
      m_pending.append(piece);
      std::string line;
      line.swap(m_pending);
      more = sink(line);
    }
    if (!more) {
      return false;
    }
  }
  return true;
}

namespace {

using nlohmann::json;

Error not_an_event() {
  return {ErrorCode::corrupt, "the watch sent a line that is not an event", {}};
}

} // namespace

std::vector<WatchOutput> WatchFsm::start() {
  std::vector<WatchOutput> out;
  relist(false, {}, out);
  return out;
}

std::vector<WatchOutput> WatchFsm::on(WatchInput input) {
  std::vector<WatchOutput> out;
  if (auto* page = std::get_if<Listed>(&input)) {
    on_listed(std::move(*page), out);
  } else if (const auto* line = std::get_if<LineReceived>(&input)) {
    on_line(line->text, out);
  } else if (const auto* failed = std::get_if<CallFailed>(&input)) {
    on_failed(failed->error, out);
  } else if (std::holds_alternative<WentBack>(input)) {
    begin_anew(out);
  } else if (std::get<WatchEnded>(input).in_time && !m_resumed) {
    m_resumed = true;
    watch(out);
  } else {
    // Without a line it may have ended at once: not without a pause.
    relist(!m_progress && !std::get<WatchEnded>(input).in_time, {}, out);
  }
  return out;
}

void WatchFsm::on_listed(Listed page, std::vector<WatchOutput>& out) {
  for (json& item : page.items) {
    const json& metadata = metadata_of(item);
    m_this_list[{json_text(metadata, "namespace"), json_text(metadata, "name")}] =
        json_text(metadata, "uid");
    upsert(std::move(item), out);
  }
  m_resource_version = page.resource_version;
  m_continue_token = page.continue_token;
  if (!m_continue_token.empty()) {
    out.emplace_back(DoList{m_continue_token, false, {}});
    return;
  }
  for (auto it = m_known.begin(); it != m_known.end();) {
    if (m_this_list.contains(it->first)) {
      ++it;
    } else {
      out.emplace_back(Delete{{it->first.first, it->first.second, it->second}});
      it = m_known.erase(it);
    }
  }
  m_this_list.clear();
  m_synced = true;
  m_resumed = false;
  out.emplace_back(Synced{});
  watch(out);
}

void WatchFsm::upsert(json object, std::vector<WatchOutput>& out) {
  const json& metadata = metadata_of(object);
  const Key key{json_text(metadata, "namespace"), json_text(metadata, "name")};
  const std::string uid = json_text(metadata, "uid");
  const auto known = m_known.find(key);
  if (known != m_known.end() && known->second != uid) {
    // The name was used again while nobody looked.
    out.emplace_back(Delete{{key.first, key.second, known->second}});
  }
  m_known[key] = uid;
  if (object.is_object() && object.contains("metadata") && object["metadata"].is_object()) {
    object["metadata"].erase("managedFields");
  }
  out.emplace_back(Upsert{std::move(object)});
}

void WatchFsm::on_line(std::string_view text, std::vector<WatchOutput>& out) {
  json event = json_of(text);
  const std::string type = json_text(event, "type");
  const auto found = event.find("object");
  if (type.empty() || found == event.end() || !found->is_object()) {
    out.emplace_back(Report{not_an_event()});
    relist(true, {}, out);
    return;
  }
  if (type == "ERROR") {
    on_error_event(*found, out);
    return;
  }
  const json& metadata = metadata_of(*found);
  const std::string version = json_text(metadata, "resourceVersion");
  const std::string name = json_text(metadata, "name");
  if (version.empty() || (type != "BOOKMARK" && name.empty())) {
    out.emplace_back(Report{not_an_event()});
    relist(true, {}, out);
    return;
  }
  if (is_older_version(version, m_resource_version)) {
    out.emplace_back(VersionsWentBack{});
    begin_anew(out);
    return;
  }
  m_progress = true;
  m_resource_version = version;
  if (type == "ADDED" || type == "MODIFIED") {
    upsert(std::move(*found), out);
  } else if (type == "DELETED") {
    const Key key{json_text(metadata, "namespace"), name};
    m_known.erase(key);
    out.emplace_back(Delete{{key.first, key.second, json_text(metadata, "uid")}});
  }
  // A BOOKMARK moves the version only; an unknown type is from a newer server, and so harmless.
}

void WatchFsm::on_error_event(const json& status, std::vector<WatchOutput>& out) {
  Error error = error_from_status("watch", status, false);
  const auto retry_after = error.retry_after;
  out.emplace_back(Report{std::move(error)});
  relist(true, retry_after, out);
}

void WatchFsm::on_failed(const Error& error, std::vector<WatchOutput>& out) {
  out.emplace_back(Report{error});
  relist(true, error.retry_after, out);
}

void WatchFsm::begin_anew(std::vector<WatchOutput>& out) {
  out.emplace_back(Report{{ErrorCode::gone,
                           "the versions of the API server went back: all is listed again",
                           "etcd was restored, it seems"}});
  relist(false, {}, out);
}

void WatchFsm::relist(bool after_failure,
                      std::chrono::seconds retry_after,
                      std::vector<WatchOutput>& out) {
  m_resource_version.clear();
  m_continue_token.clear();
  m_this_list.clear();
  out.emplace_back(DoList{{}, after_failure, retry_after});
}

void WatchFsm::watch(std::vector<WatchOutput>& out) {
  m_progress = false;
  out.emplace_back(DoWatch{m_resource_version});
}

} // namespace rb::kube
