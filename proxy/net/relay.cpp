#include "proxy/net/relay.hpp"

#include "protocol/frontend_messages.hpp"
#include "proxy/net/relay_turn.hpp"

namespace pgtandem::net {
namespace {

constexpr int reads_per_wake = 4;  // full buffers taken from one peer before the others have their turn
constexpr std::uint32_t last_words_ms =
    5000;  // how long a peer may take for the last bytes of a session that has ended

}  // namespace

relay::relay(loop& home, arrival who, server_link primary)
    : home_(home),
      who_(std::move(who)),
      id_(home.next_session_id()),
      client_(who_.stream),
      primary_(std::move(primary)),
      core_(home.analyzer(), home.world(), primary_.hello),
      deadline_(home.context()) {
  who_.key.hear([&home, id = id_](cancel_answer answer) { home.cancel(id, std::move(answer)); });
}

relay::~relay() = default;

void relay::begin(std::string_view first_bytes) {
  const auto early = std::exchange(primary_.leftover, {});
  if (!early.empty()) turn([&](session::session& s) { s.primary_data(early); });
  if (!first_bytes.empty()) turn([&](session::session& s) { s.client_data(first_bytes); });
  settle();
}

// --- one turn

void relay::perform() {
  auto& out = core_.out();
  if (out.swap_primary) {
    out.swap_primary = false;
    swap_primary();
  }
  primary_.stream->send(out.to_primary);
  // What is said before the commit's end needs no packet of its own, nor a client that wakes up to wait on.
  client_->send(out.to_client, core_.commit_under_way());
  bookkeeping();
}

void relay::bookkeeping() {
  auto& out = core_.out();
  if (out.disarm) {
    out.disarm = false;
    ++deadline_round_;
    deadline_.cancel();
    if (waits_since_) home_.waited(std::chrono::steady_clock::now() - *std::exchange(waits_since_, std::nullopt));
  }
  if (out.overdue) home_.overdue(std::exchange(out.overdue, nullptr));
  if (out.deadline_ms) {
    arm_deadline(*out.deadline_ms);
    out.deadline_ms.reset();
  }
  tell_expected(core_.about_to_submit());
  if (out.submit) hand_over();
  if (out.refresh_catalog) {
    out.refresh_catalog = false;
    home_.catalog_wanted();
  }
  if (out.next != session::next_primary::none) {
    const bool connect = out.next == session::next_primary::connect;
    out.next = session::next_primary::none;
    connect ? want_next() : drop_next();
  }
  home_.count(out.counted);
}

// What follows a turn: peers that broke, the end, the reads that are wanted now.
void relay::settle() {
  const self me(this);  // the end may come in here
  if (finishing_) return finish();
  for (int i = 0; !over_ && i < reads_per_wake; ++i) {
    if (client_->broken()) return client_lost();
    if (primary_.stream->broken() && !may_read_primary()) return primary_lost(boost::asio::error::broken_pipe);
    if (core_.out().close_client) return finish();
    if (std::exchange(next_lost_, false)) return primary_lost(boost::asio::error::connection_reset);
    if (!client_held_.empty() && may_read_client()) {
      const auto bytes = std::exchange(client_held_, {});
      turn([&](session::session& s) { s.client_data(bytes); });
    } else if (!next_input_.empty() && next_state_ == next_state::none && may_read_primary()) {
      const auto bytes = std::exchange(next_input_, {});
      turn([&](session::session& s) { s.primary_data(bytes); });
    } else if (!primary_held_.empty() && may_read_primary()) {
      const auto bytes = std::exchange(primary_held_, {});
      turn([&](session::session& s) { s.primary_data(bytes); });
    } else {
      break;
    }
  }
  if (!over_) arm();
  if (!over_ && (home_.watching() || unmovable() != standing_.unmovable)) home_.restand(*this);
}

void relay::arm() {
  const self me(this);
  if (client_held_.empty() && may_read_client())
    client_->wait_input([me](error_code ec, std::string_view bytes) { me->client_input(ec, bytes); });
  if (primary_held_.empty() && may_read_primary())
    primary_.stream->wait_input(
        [me, from = primary_.stream](error_code ec, std::string_view bytes) { me->primary_input(from, ec, bytes); });
  if (client_->unsent() != 0) client_->wait_output([me] { me->settle(); });
  if (primary_.stream->unsent() != 0) primary_.stream->wait_output([me] { me->settle(); });
}

// --- input

bool relay::may_read_client() { return core_.out().reads_client && primary_.stream->unsent() < home_.high_water(); }

bool relay::may_read_primary() { return core_.out().reads_primary && client_->unsent() < home_.high_water(); }

void relay::client_input(error_code ec, std::string_view bytes) {
  home_.check_trust();
  if (over_ || finishing_) return;
  if (ec) return client_lost();
  if (!may_read_client()) {
    client_held_ = bytes;
    return settle();
  }
  turn([&](session::session& s) { s.client_data(bytes); });
  if (bytes.size() == peer_stream::wait_bytes) read_on(*client_, true);
  settle();
}

void relay::primary_input(const stream_ptr& from, error_code ec, std::string_view bytes) {
  if (over_ || finishing_ || from != primary_.stream) return;
  if (ec) return primary_lost(ec);
  if (!may_read_primary()) {
    primary_held_ = bytes;
    return settle();
  }
  turn([&](session::session& s) { s.primary_data(bytes); });
  if (bytes.size() == peer_stream::wait_bytes) read_on(*from, false);
  settle();
}

// A full buffer means that more is there: takes it without another wait. A closed or broken line is heard by the next
// wait.
void relay::read_on(peer_stream& from, bool is_client) {
  const auto scratch = home_.scratch();
  for (int i = 0; i < reads_per_wake && !core_.out().close_client; ++i) {
    if (is_client ? !may_read_client() : (&from != primary_.stream.get() || !may_read_primary())) return;
    error_code ec;
    const std::size_t n = from.read_now(scratch, ec);
    if (n == 0 || ec) return;
    const std::string_view bytes(scratch.data(), n);
    turn([&](session::session& s) { is_client ? s.client_data(bytes) : s.primary_data(bytes); });
    if (n < scratch.size()) return;
  }
}

void relay::client_lost() {
  turn([](session::session& s) { s.client_closed(); });
  finish();
}

void relay::primary_lost(error_code ec) {
  const auto lost = primary_.stream;
  const std::string why = ec == boost::asio::error::eof ? "connection closed" : ec.message();
  turn([&](session::session& s) { s.primary_closed(why); });
  // Unless it moved to the next one just now, a session without its primary has nothing left to say but its last words.
  if (primary_.stream == lost) core_.out().close_client = true;
  settle();
}

// --- other events

void relay::arm_deadline(std::uint32_t after_ms) {
  deadline_.expires_after(std::chrono::milliseconds(after_ms));
  deadline_.async_wait([me = self(this), round = ++deadline_round_](error_code ec) {
    if (ec || me->over_ || round != me->deadline_round_) return;
    if (me->finishing_) return me->retire();
    me->turn([](session::session& s) { s.deadline_passed(); });
    me->settle();
  });
}

void relay::tell_expected(bool about_to_submit) {
  if (about_to_submit == about_to_submit_) return;
  about_to_submit_ = about_to_submit;
  home_.expect(about_to_submit ? 1 : -1);
}

void relay::hand_over() {
  waits_since_ = std::chrono::steady_clock::now();
  home_.submit(std::move(core_.out().submit),
               [me = self(this)](const session::op_ptr& o, const session::apply_outcome& outcome) {
                 if (me->over_ || me->finishing_) return;
                 me->turn([&](session::session& s) { s.applied(o, outcome); });
                 me->settle();
               });
  core_.out().submit.reset();
}

void relay::world_changed(const session::world_ptr& w) {
  if (finishing_) return;
  turn([&](session::session& s) { s.world_changed(w); });
  settle();
}

void relay::shutdown(bool now) {
  if (finishing_) return;
  turn([&](session::session& s) { s.shutdown(now); });
  settle();
}

bool relay::cancel() {
  const self me(this);
  bool took = false;
  turn([&](session::session& s) { took = s.cancel(); });
  if (!over_ && !finishing_) settle();
  return took;
}

standing relay::stands() const {
  standing s;
  if (finishing_) return s;  // it starts nothing any more
  const auto& routing = home_.world()->routing;
  s.behind = core_.epoch() != routing.epoch;
  s.open = routing.holding && !core_.held();
  s.cold = routing.warming && !core_.warm();
  s.unmovable = unmovable();
  return s;
}

std::string relay::unmovable() const {
  std::string why(core_.unmovable());
  if (why.empty() && home_.world()->routing.warming && next_state_ == next_state::refused)
    why = std::string(control::no_login) + next_refusal_;
  return why;
}

std::string_view relay::state() const {
  if (core_.held()) return "held";
  if (next_state_ != next_state::none) return "moving";
  return core_.idle() ? "idle" : "active";
}

control::session_view relay::view() const {
  control::session_view v;
  v.id = id_;
  v.client = who_.peer;
  v.user = who_.identity.user;
  v.database = who_.identity.database;
  for (const auto& [name, value] : who_.identity.parameters)
    if (name == "application_name") v.application = value;
  v.state = state();
  v.unmovable = unmovable();
  v.epoch = core_.epoch();
  v.age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - since_);
  return v;
}

// --- the end

// The core has said its last: the peers get what is unsent, within a bound, then both lines are closed.
void relay::finish() {
  if (over_) return;
  const bool client_waits = client_->unsent() != 0 && !client_->broken();
  const bool primary_waits = primary_.stream->unsent() != 0 && !primary_.stream->broken();
  if (!finishing_) {
    finishing_ = true;
    if (home_.watching()) home_.restand(*this);
    if (!primary_waits) {
      std::string goodbye;
      protocol::write_terminate(goodbye);
      primary_.stream->send(goodbye);
    }
    if (client_waits || primary_waits) arm_deadline(last_words_ms);
  }
  if (!client_waits && !primary_waits) return retire();
  if (client_waits) client_->wait_output([me = self(this)] { me->finish(); });
  if (primary_waits) primary_.stream->wait_output([me = self(this)] { me->finish(); });
}

void relay::retire() {
  if (over_) return;
  over_ = true;
  tell_expected(false);
  deadline_.cancel();
  client_->close(true);
  primary_.stream->close(true);
  drop_next();
  home_.retired(*this);  // gives the loop's reference back: the last use of `this` may end here
}

}  // namespace pgtandem::net
