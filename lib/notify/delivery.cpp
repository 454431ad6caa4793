#include "notify/delivery.hpp"

#include "base/fd.hpp"
#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace rb::notify {

namespace {

constexpr std::size_t k_secret_limit_bytes = 4096;

Result<ReceiverUrl> url_of(const ReceiverSettings& settings, const char* key) {
  const auto text = read_secret_file(settings.secret_dir + "/" + key, k_secret_limit_bytes);
  if (!text) {
    return Error{text.error().code,
                 std::string("the key ") + key + " of the Secret cannot be read",
                 "is the Secret that notify.existingSecret names there, and has it that key?"};
  }
  auto url = parse_url(text->text(), settings.plain_http);
  return url ? std::move(url) : Result<ReceiverUrl>(std::move(url).error().within(key));
}

/// As one line; empty where there is none. Errors: those of reading, invalid_argument.
Result<SecretBytes> token_of(const ReceiverSettings& settings) {
  auto text =
      read_secret_file(settings.secret_dir + "/" + k_webhook_token_key, k_secret_limit_bytes);
  if (!text) {
    return text.error().code == ErrorCode::not_found ? Result<SecretBytes>(SecretBytes())
                                                     : std::move(text);
  }
  std::string_view token = text->text();
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  for (const char c : token) {
    if (c <= ' ' || c > '~') {
      return Error{ErrorCode::invalid_argument,
                   std::string(k_webhook_token_key) + " has a character that no token has",
                   "it is the token alone, without the word Bearer"};
    }
  }
  return SecretBytes(as_bytes(token));
}

Status send(const ReceiverSettings& settings,
            const ReceiverUrl& url,
            MessageRequest request,
            std::string_view token,
            const std::stop_token& stop) {
  HttpRequest http;
  http.method = std::move(request.method);
  http.headers = std::move(request.headers);
  if (!request.content_type.empty()) {
    http.headers.emplace_back("Content-Type", request.content_type);
  }
  http.bearer_token = token;
  http.body = std::move(request.body);
  ReceiverUrl address = with_suffix(url, request.path_suffix);
  if (!request.query.empty()) {
    address = with_query(std::move(address), request.query);
  }
  RB_TRY_ASSIGN(const HttpAnswer answer,
                exchange(address, http, settings.ca_file, stop, settings.limits));
  Status verdict = verdict_of(answer.status, answer.body);
  return verdict ? verdict : Status(std::move(verdict).error().within(url.authority()));
}

/// The object in an answer, which may come as one chunk, its size before it; a discarded value
/// where there is none.
nlohmann::json object_in(std::string_view body) {
  const std::size_t begin = std::min(body.find('{'), body.size());
  return json_of(body.substr(begin, body.rfind('}') + 1 - begin));
}

/// Slack's word for what is wrong. Nothing but letters and underscores is repeated: who answers may
/// say back what is secret.
std::string error_word(const nlohmann::json& answer) {
  const std::string word = json_text(answer, "error");
  const bool is_word = !word.empty() && word.size() <= 40 && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
  });
  return is_word ? " (" + word + ")" : "";
}

/// A "code" that is no success, as Feishu, Lark and PushPlus have it beside a "msg". Some say their
/// successes as HTTP does.
bool is_refusal(const nlohmann::json& answer) {
  const nlohmann::json& code = json_member(answer, "code");
  return code.is_number_integer() && code != 0 && (code < 200 || code >= 300) &&
         json_member(answer, "msg").is_string();
}

/// Of an answer with 2xx, which may come in chunks: their sizes stand before the words.
Status verdict_of_words(int http_status, std::string_view body) {
  const std::string what = "HTTP " + std::to_string(http_status);
  if (body.find("OK (not found)") != std::string_view::npos) {
    return Error{ErrorCode::not_found,
                 what + ", but its answer is \"OK (not found)\": there is no such check",
                 "is the URL the one that the check's page shows?",
                 0,
                 http_status};
  }
  if (body.find("OK (rate limited)") != std::string_view::npos) {
    return Error{ErrorCode::throttled,
                 what + ", but its answer is \"OK (rate limited)\"",
                 {},
                 0,
                 http_status};
  }
  const nlohmann::json answer = object_in(body);
  const nlohmann::json& ok = json_member(answer, "ok");
  const nlohmann::json& code = json_member(answer, "errcode");
  if (ok == false || (code.is_number_integer() && code != 0) || is_refusal(answer)) {
    return Error{ErrorCode::permission_denied,
                 what + ", but its answer says that it did not take the message" +
                     error_word(answer),
                 "are the URL, the token and the format the receiver's?",
                 0,
                 http_status};
  }
  return {};
}

ReceiverSettings receiver(const Settings& settings) {
  return {settings.secret_dir,
          settings.ca_file,
          settings.allow_http ? PlainHttp::allowed : PlainHttp::refused,
          {}};
}

template <typename Format> std::map<std::string, Format> by_word() {
  std::map<std::string, Format> formats;
  for (const auto& [format, word] : words_of(Format{})) {
    formats.emplace(word, format);
  }
  return formats;
}

} // namespace

Status verdict_of(int http_status, std::string_view body) {
  const std::string what = "HTTP " + std::to_string(http_status);
  Error error{ErrorCode::unavailable, what, {}, 0, http_status};
  if (http_status >= 200 && http_status < 300) {
    return verdict_of_words(http_status, body);
  }
  if (http_status < 400) {
    error.code = ErrorCode::unsupported;
    error.message += ": a redirect, which is not followed: the secret would go elsewhere";
    error.hint = "put the address that it leads to into the Secret";
  } else if (http_status == 429) {
    error.code = ErrorCode::throttled;
  } else if (http_status < 500) {
    error.code = http_status == 404 ? ErrorCode::not_found : ErrorCode::permission_denied;
    error.hint = "are the URL, the token and the format the receiver's?";
  }
  return error;
}

Status DeadManDelivery::deliver(const Message& message, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const ReceiverUrl url, url_of(m_settings, k_dead_man_url_key));
  return send(m_settings, url, dead_man_request(m_format, message), {}, stop);
}

Status WebhookDelivery::deliver(const Message& message, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const ReceiverUrl url, url_of(m_settings, k_webhook_url_key));
  RB_TRY_ASSIGN(const SecretBytes token, token_of(m_settings));
  RB_TRY_ASSIGN(MessageRequest request, webhook_request(m_format, m_body_template, message));
  return send(m_settings, url, std::move(request), token.text(), stop);
}

void add_options(CLI::App& app, Settings& settings) {
  app.add_flag("--notify-dead-man", settings.dead_man, "Tell the dead-man check of each run");
  app.add_flag("--notify-webhook", settings.webhook, "Tell the webhook of problems");
  app.add_flag("--notify-allow-http", settings.allow_http, "Take URLs with http://, too");
  app.add_flag("--notify-successes", settings.successes, "Tell the webhook of each success, too");
  app.add_option("--notify-dead-man-format",
                 settings.dead_man_format,
                 "healthchecks, betterstack, cronitor, uptime-kuma or ping")
      ->transform(CLI::CheckedTransformer(by_word<DeadManFormat>()));
  app.add_option("--notify-format", settings.format, "json, slack, ntfy or matrix")
      ->transform(CLI::CheckedTransformer(by_word<WebhookFormat>()));
  app.add_option("--notify-template", settings.body_template, "The body for the format json");
  app.add_option("--notify-secret-dir", settings.secret_dir, "The mounted Secret with the URLs")
      ->capture_default_str();
  app.add_option("--notify-ca", settings.ca_file, "PEM of the CAs that receivers are believed by")
      ->capture_default_str();
  app.add_option("--cluster-name", settings.cluster_name, "How messages call this cluster");
}

std::unique_ptr<Delivery> make_dead_man(const Settings& settings) {
  return std::make_unique<DeadManDelivery>(receiver(settings), settings.dead_man_format);
}

std::unique_ptr<Delivery> make_webhook(const Settings& settings) {
  return std::make_unique<WebhookDelivery>(
      receiver(settings), settings.format, settings.body_template);
}

} // namespace rb::notify
