#include "set/helm_command.hpp"

#include "set/restore_guide.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <array>

namespace rb::set {

namespace {

constexpr std::size_t k_chart_limit_bytes = 250;
constexpr std::size_t k_release_limit_bytes = 53;
constexpr std::size_t k_label_limit_bytes = 63;
constexpr std::size_t k_version_limit_bytes = 256;
constexpr std::size_t k_shown_bytes = 80;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_lower(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}

bool is_alphanumeric(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/// [a-z0-9]([-a-z0-9]*[a-z0-9])?
bool is_label(std::string_view text) {
  return !text.empty() && is_lower(text.front()) && is_lower(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || c == '-'; });
}

/// Parts between dots, each of which `is_part` takes.
template <typename Predicate> bool are_parts(std::string_view text, Predicate is_part) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_part(text.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(dot + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_identifier(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

/// Helm takes -f as a list with commas in the manner of CSV (pflag, StringSlice).
std::string helm_list_item(const std::string& text) {
  if (text.find_first_of(",\"") == std::string::npos) {
    return text;
  }
  std::string item = "\"";
  for (const char c : text) {
    item.append(c == '"' ? 2 : 1, c);
  }
  return item + "\"";
}

std::string path_in(const std::string& directory, const std::string& file) {
  const std::string base = directory.starts_with('-') ? "./" + directory : directory;
  return base + (base.ends_with('/') ? "" : "/") + file;
}

std::string shown(const std::string& text) {
  return text.empty() ? "(none)" : terminal_text(text, k_shown_bytes);
}

/// Empty where every word is one by Helm's rules.
std::string odd_word(const HelmRelease& release) {
  struct Rule {
    const char* what;
    const std::string& text;
    bool (*holds)(std::string_view);
  };
  const std::array<Rule, 4> rules{{{"release name", release.name, is_release_name},
                                   {"namespace", release.target_namespace, is_namespace},
                                   {"chart name", release.chart_name, is_chart_name},
                                   {"chart version", release.chart_version, is_chart_version}}};
  for (const Rule& rule : rules) {
    if (!rule.holds(rule.text)) {
      return std::string("not a ") + rule.what + ": " + shown(rule.text);
    }
  }
  if (terminal_text(release.file) != release.file) {
    return "not a file name: " + shown(release.file);
  }
  return {};
}

std::string title_of(const HelmRelease& release) {
  return shown(release.name_space) + "/" + shown(release.name);
}

/// Its controller comes with k3s, and installs the release again by itself.
bool is_installed_by_k3s(const api::ReleaseOwner& owner) {
  return owner.kind == "HelmChart";
}

/// Its controller may keep a release in another namespace than its resources.
bool may_be_kept_elsewhere(const HelmRelease& release) {
  return release.owner &&
         (release.owner->kind == "Flux HelmRelease" || release.owner->kind == "Fleet bundle");
}

/// Of plain files Fleet makes a chart itself, with a version by the commit or the files
/// ("v0.0.0+git-7d145304705f", "v0.0.0+s-…"). No repository has it.
bool is_made_by_fleet(const HelmRelease& release) {
  return release.owner && release.owner->kind == "Fleet bundle" &&
         release.chart_version.starts_with("v0.0.0+");
}

/// Flux sets the build metadata of a chart's version to the beginning of the digest or commit that
/// it took the chart from ("6.5.4+0cb6a7b2e1ab"). A registry has no tag of that name.
std::string_view added_by_flux(const HelmRelease& release) {
  constexpr std::size_t k_digits = 12;
  const std::string_view version = release.chart_version;
  const std::size_t plus = version.find('+');
  if (plus == std::string_view::npos || !release.owner ||
      release.owner->kind != "Flux HelmRelease") {
    return {};
  }
  const std::string_view added = version.substr(plus);
  return added.size() == k_digits + 1 &&
                 added.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos
             ? added
             : std::string_view{};
}

std::string command_line(const HelmRelease& release, const std::string& directory) {
  const std::string version =
      release.chart_version.substr(0, release.chart_version.size() - added_by_flux(release).size());
  return "helm upgrade --install " + shell_word(release.name) + " \"${REPO:?}/" +
         release.chart_name + "\" --namespace " + shell_word(release.target_namespace) +
         " --create-namespace --version " + shell_word(version) + " -f " +
         shell_word(helm_list_item(path_in(directory, release.file)));
}

/// A Secret has it as well: one of the two is left from before Helm's storage was changed.
bool is_beside_secret(const HelmRelease& release) {
  return release.file == helm::values_file(release.name_space, release.name, true);
}

/// The newest revision is what Helm was told last, which is not always what ran.
bool has_run(const HelmRelease& release) {
  return release.status != "failed" && !release.status.starts_with("pending-");
}

/// Helm keeps it for its history alone: somebody wanted it gone.
bool is_uninstalled(const HelmRelease& release) {
  return release.status == "uninstalled" || release.status == "uninstalling";
}

/// What to know before the line is run, or nothing.
std::string note_of(const HelmRelease& release) {
  std::string note;
  if (release.owner) {
    note = "owned by " + terminal_text(release.owner->text()) +
           ", which installs it; by hand only where that is gone";
  }
  if (!has_run(release)) {
    note.append(note.empty() ? "" : "; ")
        .append("revision " + std::to_string(release.revision) + " is " + shown(release.status))
        .append(": its values may be others than those that ran before");
  }
  return note;
}

} // namespace

std::string HelmCommand::text() const {
  return (note.empty() ? "" : "# " + note + "\n") + (line.empty() ? "" : line + "\n");
}

HelmCommand helm_command(const HelmRelease& release, const std::string& directory) {
  const std::string title = title_of(release) + ": ";
  const std::string values = "; its values are " + terminal_text(path_in(directory, release.file));
  if (release.owner && is_installed_by_k3s(*release.owner)) {
    return {{}, title + "installed by " + terminal_text(release.owner->text()) + values};
  }
  if (is_made_by_fleet(release)) {
    return {{},
            title + "installed by " + terminal_text(release.owner->text()) +
                ", which made the chart of files that are in no chart repository" + values};
  }
  if (!release.odd.empty()) {
    return {{}, title + "no command, " + terminal_text(release.odd)};
  }
  if (const std::string odd = odd_word(release); !odd.empty()) {
    return {{}, title + "no command, " + odd + values};
  }
  HelmCommand command{command_line(release, directory), {}};
  if (is_uninstalled(release)) {
    return {{}, title + "uninstalled: " + command.line};
  }
  if (!may_be_kept_elsewhere(release) && release.target_namespace != release.name_space) {
    // Whoever may write into one namespace must not get a command for another one.
    return {{},
            title + "kept here, but its record names the namespace " + release.target_namespace +
                ": " + command.line};
  }
  if (is_beside_secret(release)) {
    // Two lines for one release, one after the other: the last one would count.
    return {{},
            title + "also in a ConfigMap (HELM_DRIVER=configmap), where the newest revision is " +
                std::to_string(release.revision) + ": " + command.line};
  }
  if (const std::string note = note_of(release); !note.empty()) {
    command.note = title + note;
  }
  return command;
}

bool is_chart_name(std::string_view text) {
  return !text.empty() && text.size() <= k_chart_limit_bytes && !text.starts_with('-') &&
         !text.starts_with('.') && std::ranges::all_of(text, [](char c) {
           return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

bool is_release_name(std::string_view text) {
  return text.size() <= k_release_limit_bytes && are_parts(text, is_label);
}

bool is_namespace(std::string_view text) {
  return text.size() <= k_label_limit_bytes && is_label(text);
}

bool is_chart_version(std::string_view text) {
  if (text.size() > k_version_limit_bytes) {
    return false;
  }
  if (text.starts_with('v')) {
    text.remove_prefix(1);
  }
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos && !are_parts(text.substr(plus + 1), is_identifier)) {
    return false;
  }
  text = text.substr(0, plus);
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos && !are_parts(text.substr(dash + 1), is_identifier)) {
    return false;
  }
  text = text.substr(0, dash);
  return std::ranges::count(text, '.') <= 2 && are_parts(text, is_number);
}

} // namespace rb::set
