#include "k3s/shell.hpp"

#include "k3s/lines.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace rb::k3s {

namespace {

constexpr std::size_t k_word_limit_bytes = std::size_t{64} << 10U;
constexpr std::size_t k_cost_of_word = 16;
constexpr std::size_t k_nesting_limit = 8;

constexpr std::array<std::string_view, 14> k_before_commands{"if",
                                                             "then",
                                                             "else",
                                                             "elif",
                                                             "do",
                                                             "while",
                                                             "until",
                                                             "!",
                                                             "{",
                                                             "}",
                                                             "fi",
                                                             "done",
                                                             "exec",
                                                             "command"};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_name_begin(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_name(char c) {
  return is_name_begin(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// The length of the name that `text` begins with.
std::size_t name_length(std::string_view text) {
  if (text.empty() || !is_name_begin(text.front())) {
    return 0;
  }
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_name) - text.begin());
}

/// "NAME=…" or "NAME+=…": the length of the name.
std::size_t assigned_name(std::string_view word) {
  const std::size_t length = name_length(word);
  const std::string_view rest = word.substr(length);
  return length > 0 && (rest.starts_with('=') || rest.starts_with("+=")) ? length : 0;
}

class Reader {
public:
  Reader(std::string_view text, Shell& shell, std::size_t depth)
      : m_text(text), m_shell(shell), m_depth(depth) {}

  std::vector<ShellCommand> commands() {
    while (m_at < m_text.size() && m_shell.budget > 0) {
      step();
    }
    end_command();
    return std::move(m_commands);
  }

  /// The text as one word, its variables filled in.
  std::string as_word() {
    while (m_at < m_text.size()) {
      quoted_character();
    }
    return std::move(m_word);
  }

private:
  void step() {
    const char c = m_text[m_at];
    if (is_blank(c)) {
      ++m_at;
      end_word();
    } else if (c == '#' && !m_open) {
      m_at = std::min(m_text.find('\n', m_at), m_text.size());
    } else if (c == '(' && assigned_name(m_word) > 0 && m_word.ends_with('=')) {
      take_list();
    } else if (c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')') {
      ++m_at;
      end_command();
    } else if (c == '>' || c == '<') {
      redirect();
    } else if (c == '\\') {
      backslash();
    } else if (c == '\'') {
      const std::size_t end = std::min(m_text.find('\'', m_at + 1), m_text.size());
      put(m_text.substr(m_at + 1, end - m_at - 1));
      m_at = end + 1;
    } else if (c == '"') {
      quoted();
    } else if (c == '$' || c == '`') {
      put_split(expansion());
    } else {
      put(m_text.substr(m_at++, 1));
    }
  }

  /// From the '(' of "NAME=(WORD WORD)"; behind its ')' afterwards.
  void take_list() {
    const std::size_t length = assigned_name(m_word);
    const std::string name = m_word.substr(0, length);
    const bool appends = m_word[length] == '+';
    m_word.clear();
    m_open = false;
    std::vector<std::string> before = std::move(m_words);
    m_words.clear();
    for (++m_at; m_at < m_text.size() && m_text[m_at] != ')' && m_shell.budget > 0;) {
      if (std::string_view("\n;&|(").find(m_text[m_at]) == std::string_view::npos) {
        step();
      } else {
        ++m_at;
        end_word();
      }
    }
    end_word();
    ++m_at;
    std::vector<std::string>& list = m_shell.lists[name];
    if (!appends) {
      list.clear();
    }
    list.insert(list.end(), m_words.begin(), m_words.end());
    m_words = std::move(before);
  }

  /// "${NAME[@]}" at this place: the length of NAME, else 0.
  [[nodiscard]] std::size_t list_name() const {
    const std::string_view rest = m_text.substr(m_at);
    const std::size_t length = rest.starts_with("${") ? name_length(rest.substr(2)) : 0;
    return length > 0 && rest.substr(2 + length).starts_with("[@]}") ? length : 0;
  }

  void put(std::string_view text) {
    m_open = true;
    m_word.append(text.substr(0, k_word_limit_bytes - std::min(k_word_limit_bytes, m_word.size())));
  }

  /// What stands in a variable makes several words, but in an assignment.
  void put_split(const std::string& value) {
    if (assigned_name(m_word) > 0 && only_assignments()) {
      put(value);
      return;
    }
    for (const char c : value) {
      if (is_blank(c) || c == '\n') {
        end_word();
      } else {
        put(std::string_view(&c, 1));
      }
    }
  }

  [[nodiscard]] bool only_assignments() const {
    const auto is_assignment = [](const std::string& word) {
      return assigned_name(word) > 0 || word == "export" || word == "local" || word == "readonly";
    };
    return std::ranges::all_of(m_words, is_assignment);
  }

  void backslash() {
    if (m_text.substr(m_at).starts_with("\\\n")) {
      m_at += 2;
    } else {
      put(m_text.substr(m_at + 1, 1));
      m_at += 2;
    }
  }

  void quoted() {
    m_open = true;
    ++m_at;
    while (m_at < m_text.size() && m_text[m_at] != '"') {
      quoted_character();
    }
    ++m_at;
  }

  void quoted_character() {
    const char c = m_text[m_at];
    const char next = m_at + 1 < m_text.size() ? m_text[m_at + 1] : '\0';
    if (c == '\\' && next == '\n') {
      m_at += 2;
    } else if (c == '\\' && (next == '"' || next == '\\' || next == '$' || next == '`')) {
      put(std::string_view(&next, 1));
      m_at += 2;
    } else if (c == '$' || c == '`') {
      if (m_text.substr(m_at).starts_with("$@")) {
        m_at += 2;
        put_words(m_shell.parameters);
      } else if (const std::size_t length = list_name(); length > 0) {
        const auto found = m_shell.lists.find(std::string(m_text.substr(m_at + 2, length)));
        m_at += length + std::string_view("${[@]}").size();
        if (found != m_shell.lists.end()) {
          put_words(found->second);
        }
      } else {
        put(expansion());
      }
    } else {
      put(m_text.substr(m_at++, 1));
    }
  }

  void put_words(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size() && m_shell.budget > 0; ++i) {
      if (i > 0) {
        end_word();
      }
      put(words[i]);
    }
  }

  /// From a '$' or '`'; behind it afterwards.
  std::string expansion() {
    if (m_text[m_at] == '`') {
      m_at = std::min(m_text.find('`', m_at + 1), m_text.size()) + 1;
      return {};
    }
    ++m_at;
    const std::string_view rest = m_text.substr(m_at);
    if (rest.starts_with('(')) {
      skip_nested('(', ')');
      return {};
    }
    if (rest.starts_with('{')) {
      const std::size_t begin = m_at + 1;
      skip_nested('{', '}');
      return braced(m_text.substr(begin, m_at - begin - (m_at > begin ? 1 : 0)));
    }
    if (rest.starts_with('@') || rest.starts_with('*')) {
      ++m_at;
      return joined(m_shell.parameters);
    }
    const std::size_t length = name_length(rest);
    if (length == 0) {
      const bool special =
          !rest.empty() &&
          std::string_view("0123456789?$!#-").find(rest.front()) != std::string_view::npos;
      m_at += special ? 1 : 0;
      return special ? std::string() : "$";
    }
    m_at += length;
    return value_of(m_shell.variables, rest.substr(0, length));
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (std::size_t i = 0; i < words.size() && all.size() < k_word_limit_bytes; ++i) {
      all += (i > 0 ? " " : "") + words[i];
    }
    return all;
  }

  [[nodiscard]] std::string list_text(const std::string& name) const {
    const auto found = m_shell.lists.find(name);
    return found == m_shell.lists.end() ? std::string() : joined(found->second);
  }

  /// "NAME", "NAME:-word", "NAME-word", "NAME:=word", "NAME:+word".
  std::string braced(std::string_view inside) {
    const std::size_t length = name_length(inside);
    std::string_view rest = inside.substr(length);
    if (rest == "[@]" || rest == "[*]") {
      return list_text(std::string(inside.substr(0, length)));
    }
    const std::string value = value_of(m_shell.variables, inside.substr(0, length));
    if (rest.starts_with(':')) {
      rest.remove_prefix(1);
    }
    if (rest.empty() || m_depth >= k_nesting_limit) {
      return value;
    }
    const auto word = [&] { return Reader(rest.substr(1), m_shell, m_depth + 1).as_word(); };
    switch (rest.front()) {
    case '-':
      return value.empty() ? word() : value;
    case '=':
      if (value.empty()) {
        m_shell.variables[std::string(inside.substr(0, length))] = word();
      }
      return value_of(m_shell.variables, inside.substr(0, length));
    case '+':
      return value.empty() ? std::string() : word();
    default:
      return value;
    }
  }

  void skip_nested(char open, char close) {
    int depth = 0;
    for (; m_at < m_text.size(); ++m_at) {
      depth += m_text[m_at] == open ? 1 : 0;
      depth -= m_text[m_at] == close ? 1 : 0;
      if (depth == 0) {
        ++m_at;
        return;
      }
    }
  }

  /// ">>FILE", "2>&1": neither they nor what follows is an argument.
  void redirect() {
    const bool descriptor =
        std::ranges::all_of(m_word, [](unsigned char c) { return std::isdigit(c) != 0; });
    if (descriptor) {
      m_word.clear();
      m_open = false;
    }
    end_word();
    while (m_at < m_text.size() &&
           (m_text[m_at] == '>' || m_text[m_at] == '<' || m_text[m_at] == '&')) {
      ++m_at;
    }
    m_drop = true;
    while (m_at < m_text.size() && is_blank(m_text[m_at])) {
      ++m_at;
    }
  }

  void spend(std::size_t bytes) { m_shell.budget -= std::min(m_shell.budget, bytes); }

  void end_word() {
    if (!m_open) {
      return;
    }
    if (!m_drop) {
      spend(k_cost_of_word + m_word.size());
      m_words.push_back(std::move(m_word));
    }
    m_drop = false;
    m_open = false;
    m_word.clear();
  }

  void end_command() {
    end_word();
    m_drop = false;
    std::vector<std::string> words = std::move(m_words);
    m_words.clear();
    const auto begin = std::ranges::find_if_not(
        words, [](const std::string& word) { return is_among(k_before_commands, word); });
    words.erase(words.begin(), begin);
    if (words.empty()) {
      return;
    }
    if (words.front() == "set") {
      const bool all =
          is_among(words, "-a") || (is_among(words, "-o") && is_among(words, "allexport"));
      const bool none = is_among(words, "+a") || is_among(words, "+o");
      m_shell.exports_all = all || (m_shell.exports_all && !none);
    }
    take(words);
  }

  void take(std::vector<std::string>& words) {
    ShellCommand command;
    const bool exports = words.front() == "export";
    const bool declares = exports || words.front() == "local" || words.front() == "readonly";
    std::size_t at = declares ? 1 : 0;
    for (; at < words.size(); ++at) {
      const std::size_t length = assigned_name(words[at]);
      if (length == 0 && !declares) {
        break;
      }
      const std::string name = words[at].substr(0, length == 0 ? std::string::npos : length);
      if (exports) {
        m_shell.exported.insert(name);
      }
      if (length > 0) {
        const bool appends = words[at][length] == '+';
        const std::string value = words[at].substr(length + (appends ? 2 : 1));
        command.assignments[name] = (appends ? value_of(m_shell.variables, name) + value : value)
                                        .substr(0, k_word_limit_bytes);
      }
    }
    if (at == words.size()) {
      for (auto& [name, value] : command.assignments) {
        m_shell.variables[name] = value;
        if (m_shell.exports_all) {
          m_shell.exported.insert(name);
        }
      }
      return;
    }
    command.words.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    source(command.words);
    m_commands.push_back(std::move(command));
  }

  /// "sourcex" is what k3s's own script for OpenRC calls it.
  void source(const std::vector<std::string>& words) {
    const bool sources =
        words.front() == "." || words.front() == "source" || words.front() == "sourcex";
    if (!sources || words.size() < 2 || !m_shell.source || m_depth >= k_nesting_limit) {
      return;
    }
    if (const auto text = m_shell.source(words[1])) {
      spend(text->size());
      for (ShellCommand& command : Reader(*text, m_shell, m_depth + 1).commands()) {
        m_commands.push_back(std::move(command));
      }
    }
  }

  std::string_view m_text;
  Shell& m_shell;
  std::size_t m_depth;
  std::size_t m_at = 0;
  std::string m_word;
  bool m_open = false; ///< A word has begun, perhaps an empty one.
  bool m_drop = false; ///< It is the target of a redirection.
  std::vector<std::string> m_words;
  std::vector<ShellCommand> m_commands;
};

} // namespace

std::string value_of(const Variables& variables, std::string_view name) {
  const auto found = variables.find(std::string(name));
  return found == variables.end() ? std::string() : found->second;
}

std::vector<ShellCommand> read_shell(std::string_view script, Shell& shell) {
  return Reader(script, shell, 0).commands();
}

} // namespace rb::k3s
