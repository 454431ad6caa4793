// What a receiver is told, and the bodies in which webhooks take it. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/words.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::notify {

enum class MessageKind {
  started,   ///< A run has begun.
  succeeded, ///< It stored all that was asked for.
  problem,
  recovered, ///< A problem that was told is over.
  test,
};

/// Nothing here is a secret.
struct Message {
  MessageKind kind = MessageKind::test;
  std::string topic; ///< What it is about: "run", "current", "drill/NODE", "verify/NODE", …
  SystemTime time{}; ///< Of what is told, not of the telling.
  std::string title; ///< One line.
  std::string text;  ///< For people; several lines, the last one says what to do.
  std::string cluster;
  std::string node;
  std::string run_id;
  std::string reason; ///< A word of the API.
};

/// "info" or "error".
[[nodiscard]] std::string_view severity_of(MessageKind kind);

/// The same message has the same id: a receiver that knows it takes it once.
[[nodiscard]] std::string id_of(const Message& message);

/// The forms in which a webhook takes a message.
enum class WebhookFormat {
  json,   ///< POST of all fields as one JSON object.
  slack,  ///< POST of {"text"}: Slack, Mattermost, Rocket.Chat.
  ntfy,   ///< POST of the text to the topic's URL; the title is a header.
  matrix, ///< PUT of an m.room.message, its transaction id after the URL.
};

/// "json", "slack", "ntfy", "matrix".
[[nodiscard]] std::span<const Word<WebhookFormat>> words_of(WebhookFormat);

/// The services that a dead-man check is of. What one cannot be told is left out: it learns of a
/// failure by the success that does not come.
enum class DeadManFormat {
  healthchecks, ///< <url>/start, <url>, <url>/fail with the text as body; a test: <url>/log.
  betterstack,  ///< <url>, <url>/fail with the text as body. A test is a success from here on.
  cronitor,     ///< <url>?state=run, complete, fail, with message=.
  uptime_kuma,  ///< <url>?status=up, down, with msg=.
  ping,         ///< <url> for a success.
};

/// "healthchecks", "betterstack", "cronitor", "uptime-kuma", "ping".
[[nodiscard]] std::span<const Word<DeadManFormat>> words_of(DeadManFormat);
[[nodiscard]] bool knows_starts(DeadManFormat format);
[[nodiscard]] bool knows_problems(DeadManFormat format);

/// A request without its address.
struct MessageRequest {
  std::string method = "POST";
  std::string path_suffix; ///< After the path of the receiver's URL.
  /// Parameters in place of those of the same name in the receiver's URL; not encoded yet.
  std::vector<std::pair<std::string, std::string>> query;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers; ///< Besides; each is one line.
  std::string body;
};

/// `body_template` is used for WebhookFormat::json, where it is not empty: a JSON text in whose
/// strings
/// {{title}}, {{message}}, {{severity}}, {{cluster}}, {{topic}}, {{node}}, {{run}}, {{reason}},
/// {{time}} and {{id}} are replaced; keys stay as they are. Errors: invalid_argument (the
/// template).
[[nodiscard]] Result<MessageRequest>
webhook_request(WebhookFormat format, const std::string& body_template, const Message& message);

/// Precondition: the format knows what the message is.
[[nodiscard]] MessageRequest dead_man_request(DeadManFormat format, const Message& message);

} // namespace rb::notify
