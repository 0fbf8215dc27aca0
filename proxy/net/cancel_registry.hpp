// Which server connection a client's cancel key means. The keys are the proxy's own: unique over all loops, and a
// session keeps its key when it moves to another primary.
//
// One for the process; every member may be called from any thread.
#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "proxy/net/server_link.hpp"

namespace pgtandem::net {

struct cancel_key {
  std::uint32_t pid = 0, secret = 0;
};

struct cancel_target {
  database::endpoint endpoint;
  std::uint32_t pid = 0, secret = 0;  // the server's own
};

// Asks the session itself first, from any thread: has it dealt with the request?
using cancel_answer = std::function<void(bool took)>;
using cancel_hook = std::function<void(cancel_answer)>;

class cancel_registry {
 public:
  cancel_registry();

  cancel_key add();  // a fresh key that means nothing yet
  void point(std::uint32_t pid, cancel_target target);
  void hear(std::uint32_t pid, cancel_hook session);
  void remove(std::uint32_t pid);
  std::optional<cancel_target> find(cancel_key key) const;
  cancel_hook session_of(cancel_key key) const;  // empty: there is none, or not yet

 private:
  struct entry {
    std::uint32_t secret = 0;
    std::optional<cancel_target> target;
    cancel_hook session;
  };
  mutable std::mutex mutex_;
  std::uint32_t next_pid_;
  std::unordered_map<std::uint32_t, entry> entries_;
};

// A key for the life of one session.
class registered_key {
 public:
  registered_key() = default;
  explicit registered_key(cancel_registry& r) : registry_(&r), key_(r.add()) {}
  registered_key(registered_key&& o) noexcept { *this = static_cast<registered_key&&>(o); }
  registered_key& operator=(registered_key&& o) noexcept;
  ~registered_key();

  cancel_key key() const { return key_; }
  void point(const server_link& to);
  void hear(cancel_hook session);

 private:
  cancel_registry* registry_ = nullptr;
  cancel_key key_;
};

}  // namespace pgtandem::net
