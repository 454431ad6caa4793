#include "restore/cluster/replacements.hpp"

#include "restore/cluster/machine.hpp"

#include <algorithm>
#include <cctype>

namespace rb::cluster {

namespace {

bool is_alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_name_character(char c) {
  return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
}

bool is_six_character(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
}

/// The longest run of such characters from `at` on, without a full stop at its end.
std::string_view word_at(std::string_view text, std::size_t at, bool (*belongs)(char)) {
  std::size_t end = at;
  while (end < text.size() && belongs(text[end])) {
    ++end;
  }
  while (end > at && text[end - 1] == '.') {
    --end;
  }
  return text.substr(at, end - at);
}

/// Ends with "iface" or "interface": the name of the setting whose value begins at `at`.
bool is_value_of_interface_setting(std::string_view text, std::size_t at) {
  const auto separates = [](char c) { return !is_alphanumeric(c) && c != '#' && c != '_'; };
  while (at > 0 && separates(text[at - 1])) {
    --at;
  }
  std::string name;
  while (at > 0 && (is_alphanumeric(text[at - 1]) || text[at - 1] == '_')) {
    name.insert(name.begin(),
                static_cast<char>(std::tolower(static_cast<unsigned char>(text[--at]))));
  }
  return name.ends_with("iface") || name.ends_with("interface");
}

bool is_six(const Replacement& replacement) {
  return replacement.kind == ReplacementKind::address &&
         replacement.from.find(':') != std::string::npos;
}

std::vector<Place>
places_of(std::string_view text, const Replacement& replacement, std::size_t index) {
  const bool six = is_six(replacement);
  bool (*const belongs)(char) = six ? is_six_character : is_name_character;
  std::vector<Place> places;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') {
      ++line;
    }
    const bool inside = at > 0 && (belongs(text[at - 1]) || is_name_character(text[at - 1]));
    if (inside || !belongs(text[at])) {
      continue;
    }
    const std::string_view word = word_at(text, at, belongs);
    const std::size_t end = at + word.size();
    const bool goes_on = six && end < text.size() && is_name_character(text[end]);
    const bool same = replacement.kind == ReplacementKind::address
                          ? canonical_address(word) == replacement.from
                          : word == replacement.from && is_value_of_interface_setting(text, at);
    if (!word.empty() && same && !goes_on) {
      places.push_back({at, word.size(), line, index});
    }
  }
  return places;
}

SecretBytes replaced(std::string_view text,
                     std::span<const Place> places,
                     std::span<const Replacement> replacements) {
  std::size_t size = text.size();
  for (const Place& place : places) {
    size = size - place.length + replacements[place.by].to.size();
  }
  SecretBytes result(size);
  auto out = result.span().begin();
  std::size_t from = 0;
  for (const Place& place : places) {
    const std::string_view before = text.substr(from, place.offset - from);
    const std::string& to = replacements[place.by].to;
    out = std::copy(before.begin(), before.end(), out);
    out = std::copy(to.begin(), to.end(), out);
    from = place.offset + place.length;
  }
  std::copy(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), out);
  return result;
}

Error malformed(ReplacementKind kind, std::string_view text) {
  const bool address = kind == ReplacementKind::address;
  return {ErrorCode::invalid_argument,
          std::string(address ? "--set-address " : "--set-interface ") + std::string(text) +
              (address ? ": not OLD=NEW of two addresses of one family" : ": not OLD=NEW"),
          address ? "for example --set-address 192.0.2.10=198.51.100.7"
                  : "for example --set-interface enp7s0=eth0"};
}

} // namespace

std::string Replacement::option() const {
  return (kind == ReplacementKind::address ? "--set-address " : "--set-interface ") + from + "=" +
         to;
}

Result<Replacement> parse_replacement(ReplacementKind kind, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return malformed(kind, text);
  }
  const std::string_view from = text.substr(0, equals);
  const std::string_view to = text.substr(equals + 1);
  if (kind == ReplacementKind::address) {
    Replacement replacement{kind, canonical_address(from), canonical_address(to)};
    const bool six = is_six(replacement);
    const bool fits = !replacement.from.empty() && !replacement.to.empty() &&
                      six == (replacement.to.find(':') != std::string::npos);
    return fits ? Result<Replacement>(std::move(replacement)) : malformed(kind, text);
  }
  const auto is_name = [](std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, is_name_character);
  };
  return is_name(from) && is_name(to)
             ? Result<Replacement>(Replacement{kind, std::string(from), std::string(to)})
             : malformed(kind, text);
}

std::vector<Place> find_places(std::string_view text, std::span<const Replacement> replacements) {
  std::vector<Place> places;
  for (std::size_t index = 0; index < replacements.size(); ++index) {
    if (!replacements[index].keeps()) {
      const std::vector<Place> some = places_of(text, replacements[index], index);
      places.insert(places.end(), some.begin(), some.end());
    }
  }
  std::ranges::stable_sort(places, {}, &Place::offset);
  std::size_t free_from = 0;
  std::erase_if(places, [&](const Place& place) {
    const bool taken = place.offset < free_from;
    free_from = taken ? free_from : place.offset + place.length;
    return taken;
  });
  return places;
}

std::vector<Rewritten> rewrite(set::HostState& state,
                               const std::vector<std::string>& files,
                               std::span<const Replacement> replacements) {
  std::vector<Rewritten> all;
  for (archive::Entry& file : state.files) {
    const std::string path = "/" + file.path;
    if (std::ranges::find(files, path) == files.end()) {
      continue;
    }
    const std::vector<Place> places = find_places(file.content.text(), replacements);
    for (const Place& place : places) {
      const auto is_it = [&](const Rewritten& one) {
        return one.by == place.by && one.path == path;
      };
      auto found = std::ranges::find_if(all, is_it);
      if (found == all.end()) {
        found = all.insert(all.end(), Rewritten{place.by, path, {}});
      }
      if (found->lines.empty() || found->lines.back() != place.line) {
        found->lines.push_back(place.line);
      }
    }
    if (!places.empty()) {
      file.content = replaced(file.content.text(), places, replacements);
    }
  }
  // What the Node said goes before the files: it must not bring the old ones back.
  for (std::string* const text : {&state.node.args, &state.node.env}) {
    const std::vector<Place> places = find_places(*text, replacements);
    for (const Place& place : places) {
      if (std::ranges::find(all, place.by, &Rewritten::by) == all.end()) {
        all.push_back({place.by, std::string(k_node_words), {}});
      }
    }
    *text = replaced(*text, places, replacements).text();
  }
  return all;
}

} // namespace rb::cluster
