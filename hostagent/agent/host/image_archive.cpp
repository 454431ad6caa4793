#include "agent/host/kit.hpp"

#include "archive/tar_gz.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/json_member.hpp"
#include "base/open_beneath.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace rb::agent {

namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* k_store = "/agent/containerd/io.containerd.content.v1.content/blobs/sha256";
constexpr std::string_view k_algorithm = "sha256:";
constexpr std::size_t k_hex_digits = 64;
constexpr std::size_t k_json_limit_bytes = std::size_t{1} << 20U;
constexpr std::size_t k_blobs_limit = 128;
/// Manifests that are looked through for one with a given configuration.
constexpr std::size_t k_search_limit = 20'000;
constexpr std::size_t k_searched_bytes = std::size_t{64} << 10U;
constexpr std::size_t k_buffer_bytes = std::size_t{1} << 20U;
constexpr const char* k_default_media_type = "application/vnd.oci.image.manifest.v1+json";

Error odd(const std::string& what) {
  return {ErrorCode::unsupported, what, {}};
}

/// Of the last "sha256:…" in it; empty where that is none.
std::string hex_in(std::string_view text) {
  const std::size_t at = text.rfind(k_algorithm);
  const std::string_view hex =
      at == std::string_view::npos ? std::string_view() : text.substr(at + k_algorithm.size());
  const bool good = hex.size() == k_hex_digits &&
                    hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return good ? std::string(hex) : std::string();
}

Result<Json> read_json(const std::string& store, const std::string& hex, std::size_t limit) {
  RB_TRY_ASSIGN(const std::string text, read_regular_text(store + "/" + hex, limit));
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Error{ErrorCode::corrupt, store + "/" + hex + ": not the JSON of an image", {}};
  }
  return json;
}

std::string hex_of(const Json& descriptor) {
  return hex_in(json_text(descriptor, "digest"));
}

bool is_manifest(const Json& json) {
  return json_member(json, "config").is_object() && json_member(json, "layers").is_array();
}

bool is_there(const std::string& store, const std::string& hex) {
  std::error_code error;
  return !hex.empty() && std::filesystem::is_regular_file(store + "/" + hex, error);
}

/// Of an index: the one for this machine, which is the one that was pulled.
std::string pulled_manifest(const std::string& store, const Json& index) {
  for (const Json& each : index.at("manifests")) {
    std::string hex = hex_of(each);
    const bool attestation = json_text(json_member(each, "platform"), "os") == "unknown";
    if (is_there(store, hex) && !attestation) {
      return hex;
    }
  }
  return {};
}

/// The manifest whose configuration that is.
Result<std::string> manifest_with(const std::string& store, const std::string& config) {
  std::error_code error;
  std::size_t seen = 0;
  for (std::filesystem::directory_iterator it(store, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    if (++seen > k_search_limit) {
      break;
    }
    if (it->file_size(gone) > k_searched_bytes || gone) {
      continue;
    }
    const std::string hex = it->path().filename().string();
    const auto json = read_json(store, hex, k_searched_bytes);
    if (json && is_manifest(*json) && hex_of(json->at("config")) == config) {
      return hex;
    }
  }
  return Error{ErrorCode::not_found, store + ": no manifest of the image " + config, {}};
}

Result<ImageBlob> blob_at(const std::string& store, const std::string& hex) {
  if (hex.empty()) {
    return odd(store + ": a part of the image without a SHA-256");
  }
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(store + "/" + hex, error);
  if (error) {
    return Error{ErrorCode::not_found,
                 store + "/" + hex + ": a part of the image is not there",
                 "containerd must keep layers (discard_unpacked_layers = false)"};
  }
  return ImageBlob{hex, size};
}

Result<ImageContent>
content_of(const std::string& store, const std::string& hex, const Json& manifest) {
  ImageContent image;
  image.store = store;
  image.media_type = manifest.value("mediaType", k_default_media_type);
  RB_TRY_ASSIGN(image.manifest, blob_at(store, hex));
  image.blobs.push_back(image.manifest);
  std::vector<std::string> parts{hex_of(manifest.at("config"))};
  for (const Json& layer : manifest.at("layers")) {
    parts.push_back(layer.is_object() ? hex_of(layer) : std::string());
  }
  if (parts.size() > k_blobs_limit) {
    return odd(store + "/" + hex + ": more layers than an image of ours has");
  }
  for (const std::string& part : parts) {
    RB_TRY_ASSIGN(const ImageBlob blob, blob_at(store, part));
    if (std::ranges::find(image.blobs, part, &ImageBlob::hex) == image.blobs.end()) {
      image.blobs.push_back(blob);
    }
  }
  return image;
}

void append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

Bytes padding_for(std::uint64_t size_bytes) {
  constexpr std::size_t k_record = archive::k_tar_record_bytes;
  Bytes padding((k_record - size_bytes % k_record) % k_record, 0);
  return padding;
}

void append_file(Bytes& to, const std::string& path, const std::string& content) {
  append(to, archive::tar_header(path, content.size()));
  append(to, as_bytes(content));
  append(to, padding_for(content.size()));
}

Status write_blob(const std::string& store, const ImageBlob& blob, const TakeBytes& take) {
  const std::string path = store + "/" + blob.hex;
  RB_TRY_ASSIGN(const Fd fd, open_regular(path));
  RB_TRY(take(archive::tar_header("blobs/sha256/" + blob.hex, blob.size_bytes)));
  Bytes buffer(k_buffer_bytes);
  Sha256 hash;
  for (std::uint64_t left = blob.size_bytes; left != 0;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    RB_TRY_ASSIGN(const std::size_t got,
                  read_up_to(fd, MutableByteView(buffer).first(wanted), path));
    if (got != wanted) {
      return Error{ErrorCode::corrupt, path + ": it became shorter", {}};
    }
    hash.update(ByteView(buffer).first(got));
    RB_TRY(take(ByteView(buffer).first(got)));
    left -= got;
  }
  if (to_hex(hash.digest()) != blob.hex) {
    return Error{ErrorCode::corrupt,
                 path + ": the content is not what its name says",
                 "pull the image again: k3s ctr images pull"};
  }
  return take(padding_for(blob.size_bytes));
}

} // namespace

Result<ImageContent> find_image(const std::string& data_dir, const std::string& image_id) {
  const std::string store = data_dir + k_store;
  std::string hex = hex_in(image_id);
  if (hex.empty()) {
    return odd("not the identity of an image: " + image_id);
  }
  std::error_code unseen;
  if (!std::filesystem::is_directory(store, unseen)) {
    return Error{ErrorCode::not_found,
                 store + ": k3s's own containerd has no images here (docker, another "
                         "container-runtime-endpoint, or a link to what the agent does not see), "
                         "so a restored bare host needs the registry of this image",
                 {}};
  }
  auto json = read_json(store, hex, k_json_limit_bytes);
  if (json && json->contains("manifests") && json->at("manifests").is_array()) {
    hex = pulled_manifest(store, *json);
  } else if (json && !is_manifest(*json)) {
    RB_TRY_ASSIGN(hex, manifest_with(store, hex));
  } else if (!json) {
    return std::move(json).error();
  }
  if (hex.empty()) {
    return Error{ErrorCode::not_found, store + ": no manifest of " + image_id + " is there", {}};
  }
  RB_TRY_ASSIGN(const Json manifest, read_json(store, hex, k_json_limit_bytes));
  return is_manifest(manifest) ? content_of(store, hex, manifest)
                               : Result<ImageContent>(odd(store + "/" + hex + ": no manifest"));
}

std::string full_image_name(const std::string& reference) {
  std::string name = reference;
  const std::size_t digest = name.find('@');
  const std::string end = digest == std::string::npos ? std::string() : name.substr(digest);
  name.resize(name.size() - end.size());
  const std::size_t slash = name.find('/');
  const std::string first = name.substr(0, slash);
  if (slash == std::string::npos) {
    name.insert(0, "docker.io/library/");
  } else if (first.find_first_of(".:") == std::string::npos && first != "localhost") {
    name.insert(0, "docker.io/");
  }
  const std::size_t tag = name.find(':', name.rfind('/'));
  if (!end.empty()) {
    return name.substr(0, tag) + end;
  }
  return tag == std::string::npos ? name + ":latest" : name;
}

Bytes archive_head(const ImageContent& image, const std::string& name) {
  const OrderedJson descriptor{{"mediaType", image.media_type},
                               {"digest", std::string(k_algorithm) + image.manifest.hex},
                               {"size", image.manifest.size_bytes},
                               {"annotations", {{"io.containerd.image.name", name}}}};
  const OrderedJson index{{"schemaVersion", 2},
                          {"mediaType", "application/vnd.oci.image.index.v1+json"},
                          {"manifests", OrderedJson::array({descriptor})}};
  Bytes head;
  append_file(head, "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  append_file(
      head, "index.json", index.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  return head;
}

std::uint64_t archive_bytes(const ImageContent& image, const std::string& name) {
  std::uint64_t total = archive_head(image, name).size();
  for (const ImageBlob& blob : image.blobs) {
    total += archive::k_tar_record_bytes + blob.size_bytes + padding_for(blob.size_bytes).size();
  }
  return total + 2 * archive::k_tar_record_bytes;
}

Status
write_image_archive(const ImageContent& image, const std::string& name, const TakeBytes& take) {
  RB_TRY(take(archive_head(image, name)));
  for (const ImageBlob& blob : image.blobs) {
    RB_TRY(write_blob(image.store, blob, take));
  }
  return take(Bytes(2 * archive::k_tar_record_bytes, 0));
}

} // namespace rb::agent
