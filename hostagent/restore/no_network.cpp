// libcrypto refers to name resolution and to shared libraries. A static program can have neither
// without files of the C library that it was linked with, and this one needs neither: the linker
// (--wrap) sends these references here.
#include <netdb.h>

extern "C" {

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
int __wrap_getaddrinfo(const char* /*node*/,
                       const char* /*service*/,
                       const addrinfo* /*hints*/,
                       addrinfo** /*result*/) {
  return EAI_FAIL;
}

hostent* __wrap_gethostbyname(const char* /*name*/) {
  return nullptr;
}

void* __wrap_dlopen(const char* /*file*/, int /*mode*/) {
  return nullptr;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

} // extern "C"
