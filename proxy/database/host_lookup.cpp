#include "proxy/database/host_lookup.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace pgtandem::database {

namespace {

std::mutex registry_lock;
std::vector<std::weak_ptr<host_lookup>> under_way;  // guarded by it; at most threads_max

bool numeric(const std::string& host) {
  in_addr any{};
  // A colon belongs to an address, never to a name.
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || host.find(':') != std::string::npos;
}

bool is_name(const endpoint& e) { return !e.unix_socket && e.address.empty() && !numeric(e.host); }

host_address as_it_is(const endpoint& e) {
  return {e.host, e.unix_socket || !e.address.empty() ? e.address : e.host, e.port};
}

void look_up(const endpoint& e, host_addresses& out) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(e.host.c_str(), nullptr, &hints, &found) != 0) return;
  std::size_t taken = 0;
  for (const addrinfo* a = found; a && taken < host_lookup::addresses_max; a = a->ai_next, ++taken) {
    char text[NI_MAXHOST];
    if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      out.push_back({e.host, text, e.port});
  }
  ::freeaddrinfo(found);
}

}  // namespace

std::shared_ptr<host_lookup> host_lookup::of(const std::vector<endpoint>& endpoints) {
  const std::lock_guard hold(registry_lock);
  std::erase_if(under_way, [](const auto& weak) {
    const auto lookup = weak.lock();
    return !lookup || lookup->done();
  });
  for (const auto& weak : under_way)
    if (auto lookup = weak.lock(); lookup && lookup->endpoints_ == endpoints) return lookup;
  if (under_way.size() >= threads_max) return nullptr;
  std::shared_ptr<host_lookup> fresh(new host_lookup(endpoints));
  if (!fresh->start(fresh)) return nullptr;
  under_way.push_back(fresh);
  return fresh;
}

host_lookup::~host_lookup() {
  for (int fd : ready_)
    if (fd >= 0) ::close(fd);
}

bool host_lookup::start(std::shared_ptr<host_lookup> self) {
  if (::pipe2(ready_.data(), O_CLOEXEC) != 0) return false;
  try {
    std::thread([self = std::move(self)] { self->work(); }).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void host_lookup::work() {
  for (const endpoint& e : endpoints_) {
    if (is_name(e))
      look_up(e, answer_);
    else
      answer_.push_back(as_it_is(e));
  }
  done_.store(true, std::memory_order_release);
  ::close(std::exchange(ready_[1], -1));
}

host_addresses without_lookup(const std::vector<endpoint>& endpoints) {
  host_addresses out;
  if (std::ranges::any_of(endpoints, is_name)) return out;
  std::ranges::transform(endpoints, std::back_inserter(out), as_it_is);
  return out;
}

result<host_addresses> addresses_of(const std::string& conninfo, std::chrono::milliseconds limit) {
  const auto where = resolve(conninfo);
  if (!where) return where.error();
  if (auto known = without_lookup(where->endpoints); !known.empty()) return known;
  const auto lookup = host_lookup::of(where->endpoints);
  if (!lookup) return error("08001", "too many host names are being looked up", true);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!lookup->done()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return error("08001", "the name server does not answer", true);
    pollfd p{lookup->descriptor(), POLLIN, 0};
    ::poll(&p, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30)));
  }
  if (lookup->answer().empty()) return error("08001", "could not translate host name to address", true);
  return lookup->answer();
}

host_options options_of(const host_addresses& addresses, std::size_t first) {
  host_options o;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const host_address& a = addresses[(first + i) % addresses.size()];
    const char* comma = i == 0 ? "" : ",";
    o.host += comma + a.host;
    o.hostaddr += comma + a.address;
    o.port += comma + std::to_string(a.port);
  }
  return o;
}

}  // namespace pgtandem::database
