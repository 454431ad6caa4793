#include "objects/object_list.hpp"

#include "objects/text_field.hpp"

#include "archive/entry_path.hpp"
#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

namespace rb::objects {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr int k_tries = 5;
constexpr const char* k_page = "500";
/// Only metadata is sent, but every object is read from etcd, decrypted and decoded for it.
constexpr const char* k_metadata_only =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
constexpr std::size_t k_words_limit = 200;

std::string escaped(const std::string& text) {
  static constexpr char k_digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', k_digits[byte >> 4U], k_digits[byte & 15U]};
    }
  }
  return out;
}

/// What the server says of its refusal: metav1.Status.message.
std::string words(const std::string& body) {
  const json status = json_of(body);
  return archive::printable(
      (status.is_object() ? text_field(status, "message") : body).substr(0, k_words_limit));
}

Result<json>
get_page(ApiPort& api, const std::string& path, Sleeper& sleeper, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    RB_TRY_ASSIGN(const ApiAnswer answer, api.get(path, k_metadata_only));
    if (answer.status == 200) {
      json page = json_of(answer.body);
      if (!page.is_object() || !page.contains("metadata")) {
        return Error{ErrorCode::corrupt, "the API server: " + path + ": not a list", {}};
      }
      return page;
    }
    const bool passes = answer.status == 429 || answer.status >= 500;
    if (!passes || attempt == k_tries) {
      return Error{ErrorCode::unavailable,
                   "cannot be listed: HTTP " + std::to_string(answer.status) + ": " +
                       words(answer.body),
                   {},
                   0,
                   answer.status};
    }
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    sleeper.sleep(1000ms);
  }
}

void hand_out(const json& page, const std::function<void(const ServedObject&)>& on_object) {
  const auto items = page.find("items");
  if (items == page.end() || !items->is_array()) {
    return;
  }
  for (const json& item : *items) {
    const auto metadata = item.find("metadata");
    if (metadata != item.end() && metadata->is_object()) {
      on_object({text_field(*metadata, "namespace"),
                 text_field(*metadata, "name"),
                 text_field(*metadata, "uid"),
                 text_field(*metadata, "resourceVersion")});
    }
  }
}

} // namespace

Status list_objects(ApiPort& api,
                    const ListOrder& order,
                    Sleeper& sleeper,
                    const std::function<void(const ServedObject&)>& on_object,
                    const std::stop_token& stop) {
  const std::string base = order.path + "?limit=" + k_page;
  std::string query;
  if (order.revision != 0) {
    query = "&resourceVersion=" + std::to_string(order.revision) + "&resourceVersionMatch=Exact";
  }
  while (true) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    RB_TRY_ASSIGN(const json page, get_page(api, base + query, sleeper, stop));
    hand_out(page, on_object);
    const json& metadata = page["metadata"];
    const std::string more = text_field(metadata, "continue");
    if (more.empty()) {
      return {};
    }
    query = "&continue=" + escaped(more); // it carries the revision
  }
}

Result<std::uint64_t> count_objects(ApiPort& api,
                                    const std::string& path,
                                    Sleeper& sleeper,
                                    const std::stop_token& stop) {
  RB_TRY_ASSIGN(const json page, get_page(api, path + "?limit=1", sleeper, stop));
  const auto items = page.find("items");
  if (items == page.end() || !items->is_array()) {
    return Error{ErrorCode::corrupt, "the API server: " + path + ": not a list", {}};
  }
  const json& metadata = page["metadata"];
  const auto more = metadata.is_object() ? metadata.find("remainingItemCount") : metadata.end();
  const bool counted = metadata.is_object() && more != metadata.end() && more->is_number_unsigned();
  return items->size() + (counted ? more->get<std::uint64_t>() : 0U);
}

} // namespace rb::objects
