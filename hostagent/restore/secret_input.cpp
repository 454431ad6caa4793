#include "restore/secret_input.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace rb::restore {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

SecretBytes take_secret(const char* name) {
  char* const value = std::getenv(name);
  if (value == nullptr) {
    return {};
  }
  const MutableByteView bytes(reinterpret_cast<std::uint8_t*>(value), std::strlen(value));
  SecretBytes secret{ByteView(bytes)};
  wipe(bytes);
  ::unsetenv(name);
  return secret;
}

/// A relative $XDG_CONFIG_HOME counts for nothing, as in SOPS.
void find_user_file(KeyEnvironment& environment) {
  constexpr const char* k_file = "/sops/age/keys.txt";
  if (const std::string config = variable("XDG_CONFIG_HOME"); config.starts_with('/')) {
    environment.user_file = config + k_file;
  } else if (!config.empty()) {
    environment.no_user_file = "sops/age/keys.txt: XDG_CONFIG_HOME is a relative path (" + config +
                               "), and counts for nothing: give an absolute one, or -i";
  } else if (const std::string home = variable("HOME"); !home.empty()) {
    environment.user_file = home + "/.config" + k_file;
  } else {
    environment.no_user_file = "~/.config/sops/age/keys.txt: there is no HOME";
  }
}

constexpr std::size_t k_line_limit_bytes = 4096;
constexpr std::uint8_t k_interrupt = 3;     // Ctrl-C
constexpr std::uint8_t k_end_of_file = 4;   // Ctrl-D
constexpr std::uint8_t k_backspace = 8;     // Ctrl-H
constexpr std::uint8_t k_erase_line = 0x15; // Ctrl-U
constexpr std::uint8_t k_delete = 0x7f;

Error cancelled() {
  return {ErrorCode::cancelled, "no passphrase was given", {}};
}

/// No echo, character by character and without signals of keys, while it lives; signals from
/// elsewhere wait meanwhile, so that nothing ends us with the terminal in this state.
class QuietTerminal {
public:
  explicit QuietTerminal(const Fd& terminal) : m_terminal(terminal) {
    sigemptyset(&m_held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
      sigaddset(&m_held, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &m_held, &m_mask);
    if (::tcgetattr(m_terminal.get(), &m_before) == 0) {
      termios quiet = m_before;
      quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
      quiet.c_iflag |= ICRNL;
      quiet.c_cc[VMIN] = 1;
      quiet.c_cc[VTIME] = 0;
      m_quiet = ::tcsetattr(m_terminal.get(), TCSAFLUSH, &quiet) == 0;
    }
  }
  ~QuietTerminal() {
    if (m_quiet) {
      ::tcsetattr(m_terminal.get(), TCSAFLUSH, &m_before);
    }
    ::pthread_sigmask(SIG_SETMASK, &m_mask, nullptr);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  QuietTerminal(QuietTerminal&&) = delete;
  QuietTerminal& operator=(QuietTerminal&&) = delete;

  [[nodiscard]] bool quiet() const { return m_quiet; }

  /// The next key. Errors: cancelled (a signal waits, the terminal is gone), io.
  [[nodiscard]] Result<std::uint8_t> key() const {
    constexpr int k_look_for_signals_ms = 100;
    for (;;) {
      pollfd polled{m_terminal.get(), POLLIN, 0};
      const int ready = ::poll(&polled, 1, k_look_for_signals_ms);
      if (signal_waits()) {
        return cancelled();
      }
      if (ready <= 0) {
        continue;
      }
      std::uint8_t key = 0;
      const ssize_t got = ::read(m_terminal.get(), &key, 1);
      if (got == 1) {
        return key;
      }
      if (got == 0) {
        return cancelled();
      }
      if (errno != EINTR && errno != EAGAIN) {
        return system_error(errno, "/dev/tty: read");
      }
    }
  }

private:
  [[nodiscard]] bool signal_waits() const {
    sigset_t pending;
    sigemptyset(&pending);
    ::sigpending(&pending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      if (sigismember(&pending, signal) == 1 && sigismember(&m_mask, signal) == 0) {
        return true;
      }
    }
    return false;
  }

  const Fd& m_terminal;
  termios m_before{};
  sigset_t m_held{};
  sigset_t m_mask{};
  bool m_quiet = false;
};

/// What was typed so far, in a buffer that never moves.
class Line {
public:
  /// True: the line is whole.
  Result<bool> take(std::uint8_t key) {
    switch (key) {
    case '\n':
    case '\r':
      return true;
    case k_interrupt:
      return cancelled();
    case k_end_of_file:
      return m_size == 0 ? Result<bool>(cancelled()) : Result<bool>(true);
    case k_erase_line:
      m_size = 0;
      return false;
    case k_backspace:
    case k_delete:
      erase_character();
      return false;
    default:
      break;
    }
    if (m_size == m_bytes.size()) {
      return Error{ErrorCode::invalid_argument, "the passphrase is too long", {}};
    }
    m_bytes.span()[m_size++] = key;
    return false;
  }

  [[nodiscard]] SecretBytes text() const { return SecretBytes(m_bytes.view().first(m_size)); }

private:
  /// Of UTF-8: the bytes that continue one, and its first.
  void erase_character() {
    while (m_size > 0 && (m_bytes.view()[m_size - 1] & 0xc0U) == 0x80U) {
      --m_size;
    }
    m_size -= std::min<std::size_t>(m_size, 1);
  }

  SecretBytes m_bytes{k_line_limit_bytes};
  std::size_t m_size = 0;
};

} // namespace

KeyEnvironment take_key_environment() {
  KeyEnvironment environment;
  environment.keys = take_secret("SOPS_AGE_KEY");
  environment.key_file = variable("SOPS_AGE_KEY_FILE");
  environment.key_command = variable("SOPS_AGE_KEY_CMD");
  find_user_file(environment);
  environment.ssh_key_file = variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE");
  environment.ssh_key_command = variable("SOPS_AGE_SSH_PRIVATE_KEY_CMD");
  if (const std::string home = variable("HOME"); !home.empty()) {
    environment.user_ssh_key = home + "/.ssh/id_ed25519";
  }
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    environment.all.emplace_back(*entry);
  }
  return environment;
}

Result<SecretBytes> ask_on_terminal(const std::string& question) {
  const auto terminal = open_file("/dev/tty", O_RDWR | O_NOCTTY);
  if (!terminal) {
    return Error{ErrorCode::not_found, "there is no terminal to ask for the passphrase on", {}};
  }
  const QuietTerminal quiet(*terminal);
  if (!quiet.quiet()) {
    return system_error(errno, "/dev/tty: the echo cannot be turned off");
  }
  RB_TRY(write_all(*terminal, as_bytes(question), "/dev/tty"));
  Line line;
  for (;;) {
    const auto key = quiet.key();
    const auto whole = key ? line.take(*key) : Result<bool>(key.error());
    if (!whole || *whole) {
      static_cast<void>(write_all(*terminal, as_bytes("\n"), "/dev/tty"));
      return whole ? Result<SecretBytes>(line.text()) : Result<SecretBytes>(whole.error());
    }
  }
}

} // namespace rb::restore
