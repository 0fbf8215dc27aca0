// How a session changes its primary: a second connection is logged in ahead, and takes over when the core says so.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "protocol/frontend_messages.hpp"
#include "proxy/net/relay_turn.hpp"

namespace pgtandem::net {
namespace {

constexpr std::size_t next_input_max = 64u << 10;  // bytes; an idle server says a ParameterStatus or a notice at most

void say_goodbye(peer_stream& server) {
  std::string goodbye;
  protocol::write_terminate(goodbye);
  server.send(goodbye);
  server.close();
}

}  // namespace

void relay::want_next() {
  if (next_state_ == next_state::connecting || next_state_ == next_state::ready) return;
  next_state_ = next_state::connecting;
  boost::asio::co_spawn(
      home_.context(), [me = self(this), attempt = ++next_attempt_] { return me->connect_next(attempt); },
      boost::asio::detached);
}

task<void> relay::connect_next(std::uint64_t attempt) {
  const self me(this);
  auto link = co_await home_.log_in(control::other(primary_.where), who_);
  if (over_ || finishing_ || attempt != next_attempt_ || next_state_ != next_state::connecting) {
    if (link) say_goodbye(*link->stream);
    co_return;
  }
  if (!link) {
    next_state_ = next_state::refused;
    next_refusal_ = link.error().sqlstate + " " + link.error().message + " (role " + std::string(who_.identity.user) + ")";
    turn([&](session::session& s) { s.next_primary_failed(link.error().sqlstate, link.error().message); });
  } else {
    next_ = std::move(*link);
    next_state_ = next_state::ready;
    next_input_ = std::exchange(next_.leftover, {});
    watch_next();
    turn([&](session::session& s) { s.next_primary_ready(next_.hello); });
  }
  settle();
}

// Keeps an ear on the connection that waits, so that its loss is heard before it is needed.
void relay::watch_next() {
  next_.stream->wait_input([me = self(this), from = next_.stream](error_code ec, std::string_view bytes) {
    if (me->over_) return;
    if (from == me->primary_.stream) return me->primary_input(from, ec, bytes);  // it has taken over meanwhile
    if (from != me->next_.stream) return;
    if (!ec && me->next_input_.size() + bytes.size() <= next_input_max) {
      me->next_input_.append(bytes);
      return me->watch_next();
    }
    me->drop_next();
    me->next_state_ = next_state::refused;
    me->next_refusal_ = "08006 the connection ahead was closed by its server";
    me->turn(
        [](session::session& s) { s.next_primary_failed("08006", "the connection ahead was closed by its server"); });
    me->settle();
  });
}

void relay::drop_next() {
  ++next_attempt_;
  if (next_.stream) say_goodbye(*next_.stream);
  next_ = {};
  next_input_.clear();
  next_state_ = next_state::none;
}

void relay::swap_primary() {
  if (next_state_ != next_state::ready) return void(next_lost_ = true);  // it went in this very turn
  say_goodbye(*primary_.stream);
  const std::uint32_t left = backend();
  primary_ = std::exchange(next_, {});
  home_.backend_changed(left, backend());
  primary_held_ = {};
  next_state_ = next_state::none;
  who_.key.point(primary_);
}

}  // namespace pgtandem::net
