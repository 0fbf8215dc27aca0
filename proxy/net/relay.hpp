// A client's conversation once both sides are logged in: performs the outbox of its session core.
//
// Every event is one turn: into the core, then the outbox is performed with one write a peer, then the reads are armed
// that the core and the bounds allow. A peer is read only while the core wants it and the other peer's unsent output is
// below the high-water mark; so a session holds at most high water + one read of bytes a direction.
// Lives on its loop's thread. Owned (intrusively) by its loop's list through one reference and by each wait in flight;
// ends by retire(), from then on every late answer finds it over and does nothing.
#pragma once
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/control/fleet.hpp"
#include "proxy/net/arrival.hpp"
#include "proxy/net/peer_stream.hpp"
#include "proxy/net/server_link.hpp"
#include "proxy/session/session.hpp"

namespace pgtandem::net {

class loop;

// What the coordinator asks of a session; but for `unmovable` kept up to date only while a flip is under way.
struct standing {
  bool behind = false;  // runs under another epoch than the loop's world
  bool open = false;    // the world holds, this session does not yet
  bool cold = false;    // the world warms, the next primary's connection is not there (nor refused)
  std::string unmovable;
};

class relay : public boost::intrusive_ref_counter<relay, boost::thread_unsafe_counter>,
              public boost::intrusive::list_base_hook<> {
 public:
  relay(loop& home, arrival who, server_link primary);
  ~relay();

  // The client has been greeted. `first_bytes`: what it has sent since.
  void begin(std::string_view first_bytes);
  void world_changed(const session::world_ptr& w);
  void shutdown(bool now);
  bool cancel();  // has the session dealt with it?

  standing stands() const;
  std::string unmovable() const;  // why it cannot move, or was not let in where it is to go; empty: neither
  const standing& last_standing() const { return standing_; }
  void set_standing(standing s) { standing_ = std::move(s); }

  const arrival& who() const { return who_; }
  std::uint32_t backend() const { return primary_.hello.pid; }
  std::uint64_t id() const { return id_; }
  control::session_view view() const;

 private:
  using self = boost::intrusive_ptr<relay>;
  enum class next_state : std::uint8_t { none, connecting, ready, refused };

  template <class Event>
  void turn(Event&& event);
  void perform();
  void bookkeeping();
  void settle();
  void arm();

  bool may_read_client();
  bool may_read_primary();
  void client_input(error_code ec, std::string_view bytes);
  void primary_input(const stream_ptr& from, error_code ec, std::string_view bytes);
  void read_on(peer_stream& from, bool is_client);
  void client_lost();
  void primary_lost(error_code ec);

  void arm_deadline(std::uint32_t after_ms);
  void tell_expected(bool about_to_submit);
  void hand_over();
  void want_next();
  void drop_next();
  void watch_next();
  task<void> connect_next(std::uint64_t attempt);
  void swap_primary();

  std::string_view state() const;
  void finish();
  void retire();

  loop& home_;
  arrival who_;
  std::uint64_t id_;
  stream_ptr client_;
  server_link primary_, next_;
  session::session core_;
  timer deadline_;
  std::uint64_t deadline_round_ = 0, next_attempt_ = 0;
  std::string_view client_held_,
      primary_held_;        // input that came while the core did not want it (in the streams' buffers)
  std::string next_input_;  // what the next primary said before the move
  standing standing_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> waits_since_;  // an op of this session waits for the secondary
  next_state next_state_ = next_state::none;
  std::string next_refusal_;  // what was said where next_state_ is `refused`
  bool next_lost_ = false;  // the core moved to a connection that is gone
  bool about_to_submit_ = false;  // as the loop knows it
  bool finishing_ = false, over_ = false;
};

}  // namespace pgtandem::net
