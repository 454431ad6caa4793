// Which names may become file names and words of a command line. Private to this room.
#pragma once

#include <string>
#include <string_view>

namespace rb::helm {

/// Letters, digits and '-' only, at most 63: what a namespace can be (RFC 1123 label), and more.
[[nodiscard]] bool is_safe_namespace(std::string_view text);

/// Letters, digits, '-', '.' and '_', the first a letter or a digit, at most 200 bytes: every name
/// that Helm takes (53 characters, pkg/chartutil validate_name), and more.
[[nodiscard]] bool is_safe_release_name(std::string_view text);

/// The path of a release's values in the archive. `marked`: they come from a ConfigMap, and a
/// Secret has the same release.
[[nodiscard]] std::string
values_file(std::string_view name_space, std::string_view name, bool marked = false);

/// The path of the bytes of a stored object ("secret/…", "configmap/…") that is no release. Empty:
/// its names, which are not those of Kubernetes then, make none.
[[nodiscard]] std::string raw_file(std::string_view name_space, std::string_view storage_object);

} // namespace rb::helm
