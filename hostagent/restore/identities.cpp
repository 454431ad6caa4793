#include "restore/identities.hpp"

#include "restore/failure.hpp"

#include "age/identity_file.hpp"

namespace rb::restore {

Result<std::vector<age::Identity>> read_identities(const std::vector<std::string>& paths,
                                                   const Io& io) {
  std::vector<age::Identity> identities;
  for (const std::string& path : paths) {
    auto file = age::read_identity_file(path);
    if (!file) {
      Error error = std::move(file).error();
      if (error.hint.empty()) {
        error.hint = "name the file with the private age key (AGE-SECRET-KEY-1…) with -i";
      }
      return error;
    }
    for (const std::string& warning : file->warnings) {
      warn(io, path + ": " + warning);
    }
    for (age::Identity& identity : file->identities) {
      identities.push_back(std::move(identity));
    }
  }
  return identities;
}

} // namespace rb::restore
