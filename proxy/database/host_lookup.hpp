// The addresses of the hosts that a connection string names, found on a thread of their own: the system's resolver
// cannot be stopped, and where a name server is silent it takes many seconds, in which libpq would hold its caller up.
//
// Shared by all who ask for the same hosts meanwhile and by its thread, which ends when the resolver has answered, and
// no sooner. So a silent name server holds one thread per list of hosts, at most threads_max in a process. Any thread.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "proxy/database/conninfo.hpp"

namespace pgtandem::database {

struct host_address {
  std::string host;     // as the string has it: the password file and certificates go by it
  std::string address;  // numeric; empty for a Unix socket
  std::uint16_t port = 0;
};
using host_addresses = std::vector<host_address>;

class host_lookup {
 public:
  static constexpr std::size_t threads_max = 16;
  static constexpr std::size_t addresses_max = 16;  // of one name; further ones are not tried

  // One that is under way for these, or a new one. Null: too many are under way, or the system gives no thread.
  static std::shared_ptr<host_lookup> of(const std::vector<endpoint>& endpoints);
  ~host_lookup();

  bool done() const { return done_.load(std::memory_order_acquire); }
  int descriptor() const { return ready_[0]; }              // becomes readable when it is done; nothing is to be read
  const host_addresses& answer() const { return answer_; }  // once done; empty: none of the hosts is known

 private:
  explicit host_lookup(std::vector<endpoint> e) : endpoints_(std::move(e)) {}
  bool start(std::shared_ptr<host_lookup> self);
  void work();

  const std::vector<endpoint> endpoints_;
  host_addresses answer_;
  std::array<int, 2> ready_{-1, -1};  // a pipe, closed at the far end when it is done
  std::atomic<bool> done_{false};
};

// Where no name is among them, the answer itself. Else empty: they have to be looked up.
host_addresses without_lookup(const std::vector<endpoint>& endpoints);

// The hosts of a libpq connection string, for a caller who may wait: at most `limit`, then 08001.
result<host_addresses> addresses_of(const std::string& conninfo, std::chrono::milliseconds limit);

// libpq's options of these names, an entry per address; they stand for those of the string.
struct host_options {
  std::string host, hostaddr, port;
};
host_options options_of(const host_addresses& addresses, std::size_t first = 0);  // first: the one to begin with

}  // namespace pgtandem::database
