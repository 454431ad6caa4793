// Lays out a host for programs that are tested from outside. Arguments: DIRECTORY, which must not
// be there. Beside what FakeHost makes, it leaves the private key in keys.txt.
#include "fault/fake_host.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  const rb::test::FakeHost host;
  const auto key = host.identity.text();
  host.scratch.write("keys.txt", std::string(key.text()) + "\n");
  std::error_code error;
  std::filesystem::copy(
      host.scratch.path(), argv[1], std::filesystem::copy_options::recursive, error);
  if (error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
  }
  return error ? 1 : 0;
}
