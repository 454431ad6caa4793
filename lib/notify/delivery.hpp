// A message on its way to one receiver: the address out of the mounted Secret, the request in the
// receiver's form, one exchange, and what its answer means.
#pragma once

#include "notify/exchange.hpp"
#include "notify/message.hpp"

#include "base/port.hpp"

#include <memory>
#include <stop_token>
#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace rb::notify {

class Delivery : public Port {
public:
  /// One attempt. The receiver has it when this succeeds. Errors never have a secret in them.
  [[nodiscard]] virtual Status deliver(const Message& message, const std::stop_token& stop) = 0;
};

/// The keys of the Secret: files of its directory.
inline constexpr const char* k_dead_man_url_key = "dead-man-url";
inline constexpr const char* k_webhook_url_key = "webhook-url";
inline constexpr const char* k_webhook_token_key = "webhook-token"; ///< Need not be there.

struct ReceiverSettings {
  std::string secret_dir; ///< Read again for each message, so that a new Secret needs no restart.
  std::string ca_file;
  PlainHttp plain_http = PlainHttp::refused;
  ExchangeLimits limits;
};

class DeadManDelivery final : public Delivery {
public:
  explicit DeadManDelivery(ReceiverSettings settings,
                           DeadManFormat format = DeadManFormat::healthchecks)
      : m_settings(std::move(settings)), m_format(format) {}

  [[nodiscard]] Status deliver(const Message& message, const std::stop_token& stop) override;

private:
  const ReceiverSettings m_settings;
  const DeadManFormat m_format;
};

class WebhookDelivery final : public Delivery {
public:
  WebhookDelivery(ReceiverSettings settings, WebhookFormat format, std::string body_template)
      : m_settings(std::move(settings)), m_format(format),
        m_body_template(std::move(body_template)) {}

  [[nodiscard]] Status deliver(const Message& message, const std::stop_token& stop) override;

private:
  const ReceiverSettings m_settings;
  const WebhookFormat m_format;
  const std::string m_body_template;
};

/// Nothing for 2xx, but where the words behind it say otherwise: healthchecks.io answers "OK (not
/// found)" for a check that is none, Slack's API {"ok":false}, DingTalk and WeCom an "errcode",
/// Feishu a "code" beside a "msg".
/// Errors: unsupported (a redirect), permission_denied and not_found (it refuses the address or the
/// token), throttled, unavailable.
[[nodiscard]] Status verdict_of(int http_status, std::string_view body = {});

// Who is told, from the command line: the same flags for every program that tells somebody. No
// secret is among them: addresses and token are files of a directory.

struct Settings {
  bool dead_man = false;
  bool webhook = false;
  bool allow_http = false;
  bool successes = false; ///< The webhook is told of each success, too.
  DeadManFormat dead_man_format = DeadManFormat::healthchecks;
  WebhookFormat format = WebhookFormat::json;
  std::string body_template;
  std::string secret_dir = "/etc/railiance-backup-notify";
  std::string ca_file = "/railiance-backup/share/ca-certificates.crt"; ///< In the image.
  std::string cluster_name;
};

/// --notify-… and --cluster-name. `settings` outlives the parsing.
void add_options(CLI::App& app, Settings& settings);

[[nodiscard]] std::unique_ptr<Delivery> make_dead_man(const Settings& settings);
[[nodiscard]] std::unique_ptr<Delivery> make_webhook(const Settings& settings);

} // namespace rb::notify
