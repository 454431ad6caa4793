#include "restore/keys.hpp"

#include "restore/io.hpp"
#include "restore/secret_input.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include "age/file.hpp"
#include "age/identity.hpp"
#include "age/typed_text.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace rb::restore {

namespace {

using age::IdentityLayout;

constexpr std::string_view k_pin = "# railiance-backup public key: ";
constexpr int k_passphrase_tries = 3;
/// Somebody may have to unlock a password manager.
constexpr std::chrono::minutes k_key_command_limit{5};

std::vector<Pin> pins_in(std::string_view text, const std::string& source) {
  std::vector<Pin> pins;
  text = age::without_byte_order_mark(text);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with(k_pin)) {
      pins.push_back({source, std::string(line.substr(k_pin.size()))});
    }
  }
  return pins;
}

Error no_terminal(const std::string& source) {
  return {ErrorCode::no_matching_identity,
          source + ": protected by a passphrase, and there is no terminal to ask for it on",
          "run it on a terminal; where there is none, let SOPS_AGE_KEY_CMD name a program that "
          "prints the key"};
}

/// What was given in the place of a path or of a command is a key itself. It must not be repeated:
/// messages go to the journal, and that of a drill into the log beside the sets.
bool is_key_itself(std::string_view text) {
  return age::holds_key(text, "AGE-SECRET-KEY-") || age::holds_key(text, "AGE-PLUGIN-") ||
         text.find("-----BEGIN ") != std::string_view::npos;
}

Error key_itself(const char* hint) {
  return {ErrorCode::invalid_argument,
          "a private key itself is given there, and not where one is",
          hint};
}

/// The other way round: export SOPS_AGE_KEY=~/.config/sops/age/keys.txt
bool is_path(std::string_view text) {
  text = age::trimmed(text);
  return std::ranges::any_of(std::array{"/", "~/", "./", "../"},
                             [&](const char* begin) { return text.starts_with(begin); });
}

Error path_itself() {
  return {ErrorCode::invalid_argument,
          "the path of a file is given there, and not a private key",
          "name it in SOPS_AGE_KEY_FILE, or with -i"};
}

Error sealed_to_a_key(const std::string& source) {
  return {ErrorCode::unsupported,
          source + ": encrypted, but to another key and not with a passphrase",
          "let age open it, which knows plugins and tokens, too: SOPS_AGE_KEY_CMD='age -d -i "
          "THAT-KEY FILE', without -i"};
}

/// The keys text that a passphrase protects.
Result<SecretBytes> unlock(const std::string& source, const SecretBytes& sealed, const Io& io) {
  bool asked = false;
  const age::AskPassphrase ask = [&]() -> Result<SecretBytes> {
    asked = true;
    if (!io.ask_secret) {
      return no_terminal(source);
    }
    RB_TRY_ASSIGN(SecretBytes passphrase,
                  io.ask_secret("Passphrase for " + terminal_text(source) + ": "));
    if (passphrase.empty()) {
      return Error{ErrorCode::cancelled, source + ": no passphrase was given", {}};
    }
    return passphrase;
  };
  for (int tries = 1;; ++tries) {
    auto failure = age::DecryptFailure::none;
    auto opened = age::decrypt_bytes_with_passphrase(sealed.view(), ask, &failure);
    if (!asked &&
        (failure == age::DecryptFailure::no_match || failure == age::DecryptFailure::unsupported)) {
      return sealed_to_a_key(source);
    }
    if (opened || failure != age::DecryptFailure::no_match || tries == k_passphrase_tries) {
      if (!opened && !opened.error().message.starts_with(source)) {
        return std::move(opened).error().within(source);
      }
      return opened;
    }
    warn(io, source + ": wrong passphrase");
  }
}

constexpr const char* k_name_a_file =
    "name the file with the private age key (AGE-SECRET-KEY-1…) with -i";
constexpr const char* k_by_sudo =
    ": sudo passes on none of your SOPS_AGE_… variables, and looks below the home of root: -i "
    "~/.config/sops/age/keys.txt, or sudo --preserve-env=SOPS_AGE_KEY_FILE,SOPS_AGE_KEY_CMD";

/// Somebody else than root has asked: what SOPS finds for them is not found here.
bool comes_by_sudo(const KeyEnvironment& environment) {
  constexpr std::string_view k_user = "SUDO_USER=";
  return std::ranges::any_of(environment.all, [&](const std::string& variable) {
    return variable.starts_with(k_user) && variable.size() > k_user.size() &&
           variable != std::string(k_user) + "root";
  });
}

/// Takes one source after the other.
class Reader {
public:
  explicit Reader(const Io& io) : m_io(io) {}

  /// `text` is what `source` gave.
  Status take(const std::string& source, SecretBytes text, IdentityLayout layout) {
    if (age::is_encrypted_identity_file(text.text())) {
      const std::string_view sealed = age::without_byte_order_mark(text.text());
      RB_TRY_ASSIGN(text, unlock(source, SecretBytes(as_bytes(sealed)), m_io));
      layout = IdentityLayout::lines;
    }
    auto file = age::parse_identity_file(text.text(), layout);
    if (!file) {
      return std::move(file).error().within(source);
    }
    for (const std::string& warning : file->warnings) {
      warn(m_io, source + ": " + warning);
    }
    std::string line = source + ": " + std::to_string(file->identities.size()) +
                       (file->identities.size() == 1 ? " key" : " keys");
    const char* separator = " (";
    for (age::Identity& identity : file->identities) {
      line += separator + age::shortened(identity.recipient().text());
      separator = ", ";
      m_keys.identities.push_back(std::move(identity));
    }
    m_keys.account.push_back(line + ")");
    std::ranges::move(pins_in(text.text(), source), std::back_inserter(m_keys.pins));
    return {};
  }

  Status take_file(const std::string& path) {
    RB_TRY_ASSIGN(SecretBytes text, read_secret_file(path, age::k_identity_file_limit_bytes));
    RB_TRY(take(path, std::move(text), IdentityLayout::lines));
    m_keys.file = m_keys.file.empty() ? path : m_keys.file;
    return {};
  }

  /// For once: no later command finds the keys there.
  Status take_standard_input() {
    auto text = read_secret_file("/dev/stdin", age::k_identity_file_limit_bytes);
    return text ? take("standard input", std::move(*text), IdentityLayout::lines)
                : Status(std::move(text).error());
  }

  void note(std::string line) { m_keys.account.push_back(std::move(line)); }

  /// A source of SOPS that is no good does not spoil the others.
  void pass_over(const Error& error) {
    m_keys.account.push_back(error.message);
    m_failures.push_back(error);
  }

  Result<Keys> finish() {
    if (m_keys.identities.empty()) {
      return nothing_found();
    }
    for (const Error& failure : m_failures) {
      warn(m_io, failure.message);
    }
    return std::move(m_keys);
  }

private:
  [[nodiscard]] Error nothing_found() const {
    std::string message = "no private key: ";
    for (const std::string& line : m_keys.account) {
      message += (&line == &m_keys.account.front() ? "" : "; ") + line;
    }
    const bool one = m_failures.size() == 1 && !m_failures.front().hint.empty();
    const bool kept = m_failures.empty() && comes_by_sudo(m_io.key_environment);
    return {ErrorCode::not_found,
            std::move(message),
            one ? m_failures.front().hint : std::string(k_name_a_file) + (kept ? k_by_sudo : "")};
  }

  const Io& m_io;
  Keys m_keys;
  std::vector<Error> m_failures;
};

void take_variable(Reader& reader, const Io& io) {
  constexpr const char* k_name = "SOPS_AGE_KEY";
  if (io.key_environment.keys.empty()) {
    reader.note(std::string(k_name) + ": not set");
    return;
  }
  if (is_path(io.key_environment.keys.text())) {
    reader.pass_over(path_itself().within(k_name));
  } else if (const Status taken = reader.take(
                 k_name, SecretBytes(io.key_environment.keys.view()), IdentityLayout::words);
             !taken) {
    reader.pass_over(taken.error());
  }
}

void take_named_file(Reader& reader, const std::string& name, const std::string& path) {
  if (path.empty()) {
    reader.note(name + ": not set");
  } else if (is_key_itself(path)) {
    reader.pass_over(
        key_itself("name a file that holds it; SOPS_AGE_KEY takes the key itself").within(name));
  } else if (Status taken = reader.take_file(path); !taken) {
    reader.pass_over(std::move(taken).error().within(name));
  }
}

Result<SecretBytes> output_of(const std::string& command, const Io& io) {
  RB_TRY_ASSIGN(std::vector<std::string> words, split_command(command));
  if (is_key_itself(words.front())) {
    return key_itself("name a command that prints it; SOPS_AGE_KEY takes the key itself");
  }
  return run_key_command(std::move(words), io.key_environment.all, io.stop, k_key_command_limit);
}

void take_command(Reader& reader,
                  const std::string& name,
                  const std::string& command,
                  const Io& io) {
  if (command.empty()) {
    reader.note(name + ": not set");
    return;
  }
  auto output = output_of(command, io);
  if (!output) {
    reader.pass_over(std::move(output).error().within(name));
  } else if (const Status taken = reader.take(name, std::move(*output), IdentityLayout::lines);
             !taken) {
    reader.pass_over(taken.error());
  }
}

bool is_absent(const Error& error) {
  return error.code == ErrorCode::not_found && error.system_errno != 0;
}

/// That it is not there is nothing to warn of.
void take_user_file(Reader& reader, const Io& io) {
  const std::string& path = io.key_environment.user_file;
  if (path.empty()) {
    const std::string& why = io.key_environment.no_user_file;
    reader.note(why.empty() ? "~/.config/sops/age/keys.txt: there is no HOME" : why);
  } else if (path == io.key_environment.key_file) {
    return; // taken already
  } else if (const Status taken = reader.take_file(path); !taken) {
    if (is_absent(taken.error())) {
      reader.note(path + ": not there");
    } else {
      reader.pass_over(taken.error());
    }
  }
}

/// A key that is there for logging in, and may have a passphrase: what is wrong with it is told
/// only where nothing opens a set.
void take_user_ssh_key(Reader& reader, const Io& io) {
  const std::string& path = io.key_environment.user_ssh_key;
  if (path.empty() || path == io.key_environment.ssh_key_file) {
    return;
  }
  if (const Status taken = reader.take_file(path); !taken) {
    reader.note(is_absent(taken.error()) ? path + ": not there" : taken.error().message);
  }
}

} // namespace

Result<Keys> read_keys(const std::vector<std::string>& files, const Io& io) {
  Reader reader(io);
  for (const std::string& file : files) {
    if (is_key_itself(file)) {
      return key_itself(
                 "write it to a file of mode 0600 and name that, or pipe it to -i -: whoever "
                 "is on this machine can read arguments")
          .within("-i");
    }
    Status taken = file == "-" ? reader.take_standard_input() : reader.take_file(file);
    if (!taken) {
      Error error = std::move(taken).error();
      if (error.hint.empty()) {
        error.hint = k_name_a_file;
      }
      return error;
    }
  }
  if (!files.empty()) {
    return reader.finish();
  }
  const KeyEnvironment& environment = io.key_environment;
  take_variable(reader, io);
  take_named_file(reader, "SOPS_AGE_KEY_FILE", environment.key_file);
  take_command(reader, "SOPS_AGE_KEY_CMD", environment.key_command, io);
  take_user_file(reader, io);
  take_named_file(reader, "SOPS_AGE_SSH_PRIVATE_KEY_FILE", environment.ssh_key_file);
  take_command(reader, "SOPS_AGE_SSH_PRIVATE_KEY_CMD", environment.ssh_key_command, io);
  take_user_ssh_key(reader, io);
  return reader.finish();
}

std::vector<Pin> read_pins(const std::vector<std::string>& files, const Io& io) {
  std::vector<Pin> pins;
  std::vector<std::string> paths = files;
  if (files.empty()) {
    pins = pins_in(io.key_environment.keys.text(), "SOPS_AGE_KEY");
    paths = {io.key_environment.key_file, io.key_environment.user_file};
  }
  std::erase_if(paths, is_key_itself);
  for (const std::string& path : paths) {
    const auto text = read_secret_file(path, age::k_identity_file_limit_bytes);
    if (text) {
      std::ranges::move(pins_in(text->text(), path), std::back_inserter(pins));
    } else if (!path.empty() && text.error().code != ErrorCode::not_found) {
      warn(io, "no public key is read from the identity file: " + text.error().message);
    }
  }
  return pins;
}

void say_what_was_tried(const Keys& keys, const Io& io) {
  for (const std::string& line : keys.account) {
    io.err << "tried: " << terminal_text(line) << '\n';
  }
}

} // namespace rb::restore
