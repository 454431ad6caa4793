#include "k3s/versions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace rb::k3s {

namespace {

constexpr int k_number_limit = 1'000'000;
constexpr int k_last = std::numeric_limits<int>::max();

/// All releases from `first` to `last` bring that etcd.
struct EtcdRow {
  std::array<int, 3> first;
  std::array<int, 3> last;
  EtcdMinor etcd;
};

/// Ascending. What stands in no row is not known: v1.33.8 to v1.33.12 were not seen.
constexpr std::array<EtcdRow, 3> k_etcd{{
    {{1, 23, 0}, {1, 33, 7}, {3, 5}},
    {{1, 33, 13}, {1, 36, k_last}, {3, 6}},
    {{1, 37, 0}, {1, 37, k_last}, {3, 7}},
}};

std::optional<int> number_at(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  int number = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0 &&
         number < k_number_limit) {
    number = number * 10 + (text[at++] - '0');
  }
  return at == begin ? std::nullopt : std::optional(number);
}

/// The number behind `word`.
std::optional<int> number_behind(std::string_view text, std::string_view word) {
  std::size_t at = text.find(word);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  at += word.size();
  return number_at(text, at);
}

bool is_pre_release(std::string_view suffix) {
  constexpr std::array<std::string_view, 3> k_words{"-rc", "-alpha", "-beta"};
  return std::ranges::any_of(k_words,
                             [&](std::string_view word) { return suffix.starts_with(word); });
}

/// Of "1.34.4"; `at` is behind it afterwards. Nothing where it is less than `count` numbers.
template <std::size_t Count>
std::optional<std::array<int, Count>> numbers_at(std::string_view text, std::size_t& at) {
  std::array<int, Count> numbers{};
  for (std::size_t index = 0; index < Count; ++index) {
    if (index > 0 && (at >= text.size() || text[at++] != '.')) {
      return std::nullopt;
    }
    const auto number = number_at(text, at);
    if (!number) {
      return std::nullopt;
    }
    numbers.at(index) = *number;
  }
  return numbers;
}

std::pair<int, int> line_of(const Release& release) {
  return {release.major, release.minor};
}

/// "v1.34"
std::string name_of_line(const Release& release) {
  return "v" + std::to_string(release.major) + "." + std::to_string(release.minor);
}

/// The storage version is what the data themselves say; else what their k3s is known to bring.
std::optional<EtcdMinor> etcd_in(const StoredData& data, const std::optional<Release>& by) {
  if (data.kind != api::DatastoreKind::etcd) {
    return std::nullopt;
  }
  std::size_t at = 0;
  if (const auto numbers = numbers_at<2>(data.storage_version, at)) {
    return EtcdMinor{(*numbers)[0], (*numbers)[1]};
  }
  return by ? etcd_of(*by) : std::nullopt;
}

std::string first_release_with(EtcdMinor etcd) {
  const auto* const row = std::ranges::find(k_etcd, etcd, &EtcdRow::etcd);
  return row == k_etcd.end()
             ? std::string()
             : "v" + std::to_string(row->first[0]) + "." + std::to_string(row->first[1]) + "." +
                   std::to_string(row->first[2]);
}

std::string install(const std::string& version) {
  return "install " + version + " (INSTALL_K3S_VERSION=" + version + ")";
}

/// What to install where the k3s here is too old for the data.
std::string install_newer(const StoredData& data, const std::optional<EtcdMinor>& etcd) {
  if (parse_release(data.k3s_version)) { // else it is no text for a command line
    return install(data.k3s_version);
  }
  const std::string first = etcd ? first_release_with(*etcd) : std::string();
  return "install the k3s that the set was made by" +
         (first.empty() ? "" : ", which is " + first + " or later");
}

std::string both_versions(const StoredData& data, const std::string& here) {
  return "k3s here is " + here + ", at the backup " +
         (data.k3s_version.empty() ? std::string("it was not recorded") : data.k3s_version);
}

/// Both releases are known, and neither line nor etcd is a reason to refuse.
FitVerdict judge_distance(const StoredData& data,
                          const std::string& both,
                          const Release& ours,
                          const Release& theirs) {
  const auto etcd_here = etcd_of(ours);
  const auto etcd_there = etcd_in(data, theirs);
  if (ours < theirs) {
    return {Fit::doubtful,
            both + ": an older patch release of the same line",
            "better " + install(data.k3s_version)};
  }
  if (data.kind == api::DatastoreKind::etcd && etcd_here && etcd_there &&
      etcd_here->minor > etcd_there->minor + 1) {
    return {Fit::doubtful,
            both + ": etcd " + to_string(*etcd_there) + " to " + to_string(*etcd_here) +
                " leaves a minor release out, which etcd does not support",
            "better " + install(data.k3s_version) + " first and upgrade afterwards"};
  }
  if (ours.major != theirs.major || ours.minor > theirs.minor + 1) {
    return {Fit::doubtful,
            both + ": more than one minor release apart",
            "better " + install(data.k3s_version) + " first and upgrade afterwards"};
  }
  return {Fit::good, both, {}};
}

WayBackVerdict back_by_restore(std::string message) {
  return {WayBack::restore, std::move(message)};
}

} // namespace

std::optional<Release> parse_release(std::string_view text) {
  std::size_t at = text.starts_with('v') ? 1 : 0;
  const auto numbers = numbers_at<3>(text, at);
  if (!numbers) {
    return std::nullopt;
  }
  const std::string_view suffix = text.substr(at);
  const bool plain = std::ranges::all_of(suffix, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '+' || c == '-';
  });
  if (!plain || (!suffix.empty() && suffix.front() != '+' && suffix.front() != '-')) {
    return std::nullopt;
  }
  Release release{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
  if (is_pre_release(suffix)) {
    release.candidate = number_behind(suffix, "-rc").value_or(0);
  }
  release.build = number_behind(suffix, "k3s").value_or(0);
  return release;
}

bool is_release_of_k3s(std::string_view text) {
  const auto release = parse_release(text);
  return text.starts_with('v') && release && release->build > 0;
}

std::string to_string(EtcdMinor etcd) {
  return std::to_string(etcd.major) + "." + std::to_string(etcd.minor);
}

std::optional<EtcdMinor> etcd_of(const Release& release) {
  const std::array<int, 3> numbers{release.major, release.minor, release.patch};
  const auto* const row = std::ranges::find_if(
      k_etcd, [&](const EtcdRow& each) { return each.first <= numbers && numbers <= each.last; });
  return row == k_etcd.end() ? std::nullopt : std::optional(row->etcd);
}

FitVerdict judge_restore(const StoredData& data, const std::string& here) {
  const auto ours = parse_release(here);
  const auto theirs = parse_release(data.k3s_version);
  const auto etcd_here = ours ? etcd_of(*ours) : std::nullopt;
  const auto etcd_there = etcd_in(data, theirs);
  const std::string both = both_versions(data, here);
  if (etcd_here && etcd_there && *etcd_here < *etcd_there) {
    return {Fit::refused,
            both + ": the data are of etcd " + to_string(*etcd_there) + ", and etcd " +
                to_string(*etcd_here) + " of this k3s does not start on them",
            install_newer(data, etcd_there)};
  }
  if (ours && theirs && line_of(*ours) < line_of(*theirs)) {
    return {Fit::refused,
            both + ": k3s restores with the same or a higher minor release, and " +
                name_of_line(*ours) + " is a lower one",
            install_newer(data, etcd_there)};
  }
  if (!ours || !theirs) {
    return {Fit::doubtful,
            both + ": whether this one reads its data cannot be told",
            "it must be the same or a higher one"};
  }
  return judge_distance(data, both, *ours, *theirs);
}

WayBackVerdict
judge_way_back(api::DatastoreKind kind, const std::string& from, const std::string& to) {
  const auto older = parse_release(from);
  const auto newer = parse_release(to);
  if (!older || !newer) {
    return {WayBack::unknown,
            "whether " + (from.empty() ? "the k3s of now" : from) + " starts on what " + to +
                " leaves is not known"};
  }
  const bool same_line = line_of(*older) == line_of(*newer);
  const std::string minor = "k3s goes back from " + name_of_line(*newer) + " to " +
                            name_of_line(*older) + " only with the data of before";
  if (kind == api::DatastoreKind::sqlite) {
    return same_line ? WayBackVerdict{WayBack::binary,
                                      to + " is of the same minor release as " + from +
                                          ": a downgrade needs only the binary"}
                     : back_by_restore(minor);
  }
  const auto etcd_before = etcd_of(*older);
  const auto etcd_after = etcd_of(*newer);
  if (etcd_before && etcd_after && *etcd_before < *etcd_after) {
    return back_by_restore(to + " brings etcd " + to_string(*etcd_after) + ", and etcd " +
                           to_string(*etcd_before) + " of " + from + " does not start on its data");
  }
  const bool same_etcd = etcd_before && etcd_before == etcd_after;
  const std::string etcd =
      same_etcd ? to + " brings etcd " + to_string(*etcd_after) + ", as " + from + " does"
                : "whether " + to + " brings another etcd than " + from + " is not known";
  if (!same_line) {
    return back_by_restore(etcd + (same_etcd ? ", but " : ", and ") + minor);
  }
  return same_etcd ? WayBackVerdict{WayBack::binary, etcd + ": a downgrade needs only the binary"}
                   : WayBackVerdict{WayBack::unknown, etcd};
}

} // namespace rb::k3s
