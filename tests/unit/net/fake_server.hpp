// A server that speaks just enough of the protocol: lets everyone in, answers each Query by its text. One thread a
// connection.
//
//   "begin"  → ReadyForQuery says: in a transaction      "flood"  → rows until told to stop, or until nobody reads
//   anything else → CommandComplete, idle                "sleep"  → answers with 57014 once a CancelRequest has come
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "protocol/startup_packet.hpp"
#include "tests/unit/net/wire.hpp"

namespace pgtandem::net::test {

class fake_server {
 public:
  static constexpr std::uint32_t pid = 4711, secret = 815;
  static constexpr std::uint64_t flood_bytes = std::uint64_t{512}
                                               << 20;  // far beyond every buffer between it and a client

  fake_server();
  ~fake_server();

  std::uint16_t port() const { return port_; }
  std::uint64_t flooded() const { return flooded_; }  // bytes that were taken from "flood" so far
  bool stuck() const { return stuck_; }               // nobody takes more of it
  bool cancelled() const { return cancelled_; }       // a CancelRequest with the right key has come
  int terminated() const { return terminated_; }      // connections that said Terminate

 private:
  void accept_all();
  void serve(wire& w);
  void answer(wire& w, std::string_view sql);
  void flood(wire& w);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> flooded_{0};
  std::atomic<bool> stuck_{false}, cancelled_{false}, stopping_{false};
  std::atomic<int> terminated_{0};
  std::mutex mutex_;
  std::thread acceptor_;               // the only one that adds to threads_
  std::vector<std::thread> threads_;   // one a connection
  std::vector<int> open_;
};

}  // namespace pgtandem::net::test
