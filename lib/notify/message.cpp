#include "notify/message.hpp"

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/json_fields.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace rb::notify {

namespace {

using Field = std::pair<std::string_view, std::string>;

constexpr std::size_t k_template_limit_bytes = 16384;
constexpr int k_template_depth = 32;
constexpr const char* k_json = "application/json";
constexpr const char* k_text = "text/plain; charset=utf-8";

std::vector<Field> fields_of(const Message& message) {
  return {{"title", message.title},
          {"message", message.text},
          {"severity", std::string(severity_of(message.kind))},
          {"cluster", message.cluster},
          {"topic", message.topic},
          {"node", message.node},
          {"run", message.run_id},
          {"reason", message.reason},
          {"time", format_rfc3339(message.time)},
          {"id", id_of(message)}};
}

/// What is put in is not looked at again: a text with "{{title}}" in it stays that.
std::string filled(std::string_view text, const std::vector<Field>& fields) {
  std::string result;
  while (!text.empty()) {
    const std::size_t at = text.find("{{");
    result += text.substr(0, at);
    if (at == std::string_view::npos) {
      break;
    }
    text.remove_prefix(at);
    std::string_view put = "{{";
    std::size_t size = put.size();
    for (const auto& [name, value] : fields) {
      if (text.substr(2).starts_with(name) && text.substr(2 + name.size()).starts_with("}}")) {
        put = value;
        size = name.size() + 4;
        break;
      }
    }
    result += put;
    text.remove_prefix(size);
  }
  return result;
}

bool fill(nlohmann::json& value, const std::vector<Field>& fields, int depth) {
  if (depth > k_template_depth) {
    return false;
  }
  if (value.is_string()) {
    value = filled(value.get_ref<const std::string&>(), fields);
  } else if (value.is_structured()) {
    for (nlohmann::json& child : value) {
      if (!fill(child, fields, depth + 1)) {
        return false;
      }
    }
  }
  return true;
}

/// Never throws: what is no UTF-8 is replaced.
std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::string> from_template(const std::string& text, const std::vector<Field>& fields) {
  const Error bad{ErrorCode::invalid_argument,
                  "the template of the webhook is no JSON, or nested too deeply",
                  "notify.webhook.template is a JSON text with {{title}} and {{message}} in it"};
  if (text.size() > k_template_limit_bytes) {
    return bad;
  }
  nlohmann::json json = json_of(text);
  if (json.is_discarded() || !fill(json, fields, 0)) {
    return bad;
  }
  return dump(json);
}

/// Without control characters, and 200 bytes at most.
std::string bounded_line(std::string_view text) {
  constexpr std::size_t k_limit_bytes = 200;
  std::string line(cut_to(text, k_limit_bytes));
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    c = byte < ' ' || byte == 0x7f ? '?' : c;
  }
  return line;
}

/// As the value of a header: one line of printable ASCII. What has other characters is one encoded
/// word (RFC 2047), which ntfy reads as UTF-8.
std::string header_text(std::string_view text) {
  const std::string line = bounded_line(text);
  const bool plain =
      std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return plain ? line : "=?UTF-8?B?" + to_base64(as_bytes(line)) + "?=";
}

/// As Slack wants text: in it <…> is a link or a call of the whole channel, and a message quotes
/// what others wrote (a remote's words, the name of a node in a manifest over there).
std::string slack_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

MessageRequest ntfy_request(const Message& message) {
  const bool problem = message.kind == MessageKind::problem;
  MessageRequest request;
  request.content_type = k_text;
  request.headers = {{"Title", header_text(message.title)},
                     {"Priority", problem ? "high" : "default"},
                     {"Tags", problem ? "warning" : "white_check_mark"}};
  request.body = message.text;
  return request;
}

MessageRequest matrix_request(const Message& message) {
  MessageRequest request;
  request.method = "PUT";
  request.path_suffix = "/" + id_of(message);
  request.content_type = k_json;
  request.body =
      dump(nlohmann::json{{"msgtype", "m.text"}, {"body", message.title + "\n" + message.text}});
  return request;
}

} // namespace

std::string_view severity_of(MessageKind kind) {
  return kind == MessageKind::problem ? "error" : "info";
}

std::string id_of(const Message& message) {
  Sha256 hash;
  for (const std::string& part : {message.cluster,
                                  message.topic,
                                  format_rfc3339(message.time),
                                  std::to_string(static_cast<int>(message.kind))}) {
    hash.update(as_bytes(part));
    hash.update(as_bytes(std::string_view("\0", 1)));
  }
  const Sha256Digest digest = hash.digest();
  return to_hex(ByteView(digest).first(16));
}

std::span<const Word<WebhookFormat>> words_of(WebhookFormat /*format*/) {
  static constexpr std::array<Word<WebhookFormat>, 4> k_words{{{WebhookFormat::json, "json"},
                                                               {WebhookFormat::slack, "slack"},
                                                               {WebhookFormat::ntfy, "ntfy"},
                                                               {WebhookFormat::matrix, "matrix"}}};
  return k_words;
}

Result<MessageRequest>
webhook_request(WebhookFormat format, const std::string& body_template, const Message& message) {
  if (format == WebhookFormat::ntfy) {
    return ntfy_request(message);
  }
  if (format == WebhookFormat::matrix) {
    return matrix_request(message);
  }
  MessageRequest request;
  request.content_type = k_json;
  const std::vector<Field> fields = fields_of(message);
  if (format == WebhookFormat::slack) {
    request.body = dump(nlohmann::json{
        {"text", "*" + slack_text(message.title) + "*\n" + slack_text(message.text)}});
  } else if (!body_template.empty()) {
    RB_TRY_ASSIGN(request.body, from_template(body_template, fields));
  } else {
    nlohmann::json json;
    for (const auto& [name, value] : fields) {
      json[std::string(name)] = value;
    }
    request.body = dump(json);
  }
  return request;
}

std::span<const Word<DeadManFormat>> words_of(DeadManFormat /*format*/) {
  static constexpr std::array<Word<DeadManFormat>, 5> k_words{
      {{DeadManFormat::healthchecks, "healthchecks"},
       {DeadManFormat::betterstack, "betterstack"},
       {DeadManFormat::cronitor, "cronitor"},
       {DeadManFormat::uptime_kuma, "uptime-kuma"},
       {DeadManFormat::ping, "ping"}}};
  return k_words;
}

bool knows_starts(DeadManFormat format) {
  return format == DeadManFormat::healthchecks || format == DeadManFormat::cronitor;
}

bool knows_problems(DeadManFormat format) {
  return format != DeadManFormat::ping;
}

MessageRequest dead_man_request(DeadManFormat format, const Message& message) {
  const bool is_start = message.kind == MessageKind::started;
  const bool is_problem = message.kind == MessageKind::problem;
  const bool is_test = message.kind == MessageKind::test;
  MessageRequest request;
  request.method = "GET";
  if (format == DeadManFormat::cronitor) {
    request.query = {{"state",
                      is_start     ? "run"
                      : is_problem ? "fail"
                                   : "complete"},
                     {"message", bounded_line(message.title)}};
  } else if (format == DeadManFormat::uptime_kuma) {
    request.query = {{"status", is_problem ? "down" : "up"}, {"msg", bounded_line(message.title)}};
  } else if (is_start) {
    request.path_suffix = "/start";
  } else if (is_problem || (is_test && format == DeadManFormat::healthchecks)) {
    request.method = "POST";
    request.path_suffix = is_problem ? "/fail" : "/log";
    request.content_type = k_text;
    request.body = message.title + "\n" + message.text + "\n";
  }
  return request;
}

} // namespace rb::notify
