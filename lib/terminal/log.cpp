#include "terminal/log.hpp"

#include "terminal/terminal_text.hpp"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <unistd.h>

#include <memory>
#include <string>

namespace rb::log {

namespace {

void append_json_text(spdlog::memory_buf_t& out, std::string_view text) {
  constexpr std::string_view k_hex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      for (const char escaped : std::string_view("\\u00")) {
        out.push_back(escaped);
      }
      out.push_back(k_hex[byte >> 4U]);
      out.push_back(k_hex[byte & 0x0fU]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

/// {"ts":"…Z","level":"info","program":"…","msg":"…"}, one a line.
class JsonFormatter final : public spdlog::formatter {
public:
  explicit JsonFormatter(std::string program) : m_program(std::move(program)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(message.time);
    const auto whole = std::chrono::floor<std::chrono::seconds>(millis);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    append(out,
           fmt::format(R"({{"ts":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z","level":")",
                       utc.tm_year + 1900,
                       utc.tm_mon + 1,
                       utc.tm_mday,
                       utc.tm_hour,
                       utc.tm_min,
                       utc.tm_sec,
                       (millis - whole).count()));
    const auto level = spdlog::level::to_string_view(message.level);
    append(out, {level.data(), level.size()});
    append(out, R"(","program":)");
    append_json_text(out, m_program);
    append(out, ",\"msg\":");
    append_json_text(out, terminal_text({message.payload.data(), message.payload.size()}));
    append(out, "}\n");
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(m_program);
  }

private:
  std::string m_program;
};

/// The message; kubectl and journalctl show it on a terminal.
class TextFlag final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message,
              const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    append(out, terminal_text({message.payload.data(), message.payload.size()}));
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<TextFlag>();
  }
};

std::string line_of(std::string_view what, const Error& failure) {
  std::string line(what);
  line.append(": ")
      .append(failure.message)
      .append(" (")
      .append(to_string(failure.code))
      .append(")");
  if (!failure.hint.empty()) {
    line.append("; ").append(failure.hint);
  }
  return line;
}

} // namespace

void setup(std::string_view program, Format format, std::string_view level) {
  auto logger = spdlog::stderr_color_mt(std::string(program));
  const bool json =
      format == Format::json || (format == Format::automatic && ::isatty(STDERR_FILENO) == 0);
  if (json) {
    logger->set_formatter(std::make_unique<JsonFormatter>(std::string(program)));
  } else {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<TextFlag>('*').set_pattern("%H:%M:%S %^%l%$ %*");
    logger->set_formatter(std::move(formatter));
  }
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void error(std::string_view what, const Error& failure) {
  spdlog::error(line_of(what, failure));
}
void warn(std::string_view what, const Error& failure) {
  spdlog::warn(line_of(what, failure));
}

} // namespace rb::log
