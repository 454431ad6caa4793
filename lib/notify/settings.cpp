#include "notify/settings.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace rb::notify {

namespace {

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
