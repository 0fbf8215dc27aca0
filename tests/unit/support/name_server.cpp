#include "tests/unit/support/name_server.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <string_view>

namespace {
std::atomic<bool> held{false};
std::atomic<int> asked_slow{0};
}  // namespace

// In place of the C library's.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view host = name ? name : "";
  if (!host.ends_with(".test")) return real(name, service, hints, found);
  if (host == "missing.test") return EAI_NONAME;
  if (host == "slow.test") {
    ++asked_slow;
    held.wait(true);
  }
  const int failure = real("127.0.0.7", service, hints, found);
  if (failure == 0 && host == "two.test") return real("127.0.0.1", service, hints, &(*found)->ai_next);
  return failure;
}

namespace pgtandem::test {

void name_server::hold() {
  asked_slow = 0;
  held = true;
}

void name_server::let_go() {
  held = false;
  held.notify_all();
}

int name_server::asked() { return asked_slow; }

}  // namespace pgtandem::test
