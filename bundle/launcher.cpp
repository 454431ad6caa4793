// bin/NAME of the bundle: starts libexec/NAME with the bundle's own loader and libraries, wherever
// the bundle lies and whatever the host has. Static, since it is what runs before a loader is
// found. At k_home, which is where the image has the bundle, the kernel finds the loader by the
// program's own header; a program started so is its own /proc/self/exe, which the agent needs.
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr const char* k_home = RB_BUNDLE_HOME;
constexpr int k_cannot_run = 126;

int cannot(const char* action, const char* path) {
  std::fprintf(
      stderr,
      "railiance-backup: cannot %s %s: %s\nhint: unpack or install the whole bundle again\n",
      action,
      path,
      std::strerror(errno));
  return k_cannot_run;
}

// The path without its last part; nothing where it has none. `part` becomes that last part.
bool cut(char* path, const char** part) {
  char* const slash = std::strrchr(path, '/');
  if (slash == nullptr) {
    return false;
  }
  *slash = '\0';
  *part = slash + 1;
  return true;
}

char* join(const char* home, const char* directory, const char* name) {
  char* path = nullptr;
  return asprintf(&path, "%s/%s/%s", home, directory, name) < 0 ? nullptr : path;
}

} // namespace

int main(int argc, char** argv) {
  // The path that the kernel was given, not argv[0], which anybody can choose; links lead into the
  // bundle.
  const char* const asked = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  char* const home = asked == nullptr ? nullptr : realpath(asked, nullptr);
  const char* name = nullptr;
  const char* bin = nullptr;
  if (home == nullptr || !cut(home, &name) || !cut(home, &bin)) {
    return cannot("find", asked == nullptr ? "the bundle" : asked);
  }
  char* const program = join(home, "libexec", name);
  char* const loader = join(home, "lib", "ld.so");
  // loader --inhibit-cache --argv0 NAME PROGRAM, the arguments, and the end.
  constexpr std::size_t k_before = 5;
  const auto count = static_cast<std::size_t>(argc);
  auto** const arguments = static_cast<char**>(std::calloc(count + k_before + 1, sizeof(char*)));
  if (program == nullptr || loader == nullptr || arguments == nullptr || count == 0) {
    return cannot("start", name);
  }
  if (std::strcmp(home, k_home) == 0) {
    execv(program, argv);
    return cannot("run", program);
  }
  char inhibit_cache[] = "--inhibit-cache"; // the host's list of its libraries
  char argv0[] = "--argv0";
  char* const before[k_before] = {loader, inhibit_cache, argv0, argv[0], program};
  std::memcpy(arguments, before, sizeof(before));
  std::memcpy(arguments + k_before, argv + 1, (count - 1) * sizeof(char*));
  execv(loader, arguments);
  return cannot("run", loader);
}
