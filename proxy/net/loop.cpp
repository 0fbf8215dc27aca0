#include "proxy/net/loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "proxy/net/arrival_task.hpp"

namespace pgtandem::net {
namespace {

constexpr std::chrono::milliseconds trust_look{20};  // while held for want of trust
constexpr std::size_t kept_capacity = std::size_t{256}
                                      << 10;  // bytes of a turn's buffers that are kept for the next turn

std::uint64_t first_session_id() {
  static std::atomic<std::uint64_t> loops{0};
  return ++loops << 48;  // ids are unique over the loops of a process
}

apply::pool_settings appliers_of(const config::settings& s) {
  apply::pool_settings p;
  p.appliers = s.dual_write.appliers;
  p.group_max = s.dual_write.group_max;
  p.gather_us = s.dual_write.gather_us;
  p.queue_max = s.dual_write.queue_max;
  p.budget_ms = s.dual_write.budget_ms;
  p.breaker_failures = s.dual_write.breaker_failures;
  p.breaker_successes = s.dual_write.breaker_successes;
  p.probe_interval_ms = s.dual_write.probe_interval_ms;
  return p;
}

}  // namespace

loop::loop(const loop_services& services, session::world_ptr first)
    : work_(context_.get_executor()),
      services_(services),
      settings_(services.settings),
      world_(std::move(first)),
      scratch_size_(settings_->session.buffer_bytes),
      scratch_(new char[scratch_size_]),
      last_id_(first_session_id()) {
  use_secondary();
}

loop::~loop() {
  stop();
  while (!relays_.empty()) {
    relay& r = relays_.front();
    relays_.pop_front();
    intrusive_ptr_release(&r);
  }
}

void loop::start() {
  report_later();
  thread_ = std::thread([this] { context_.run(); });
}

void loop::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

// --- posted by other threads

void loop::adopt(int fd, std::string peer, admission::place place) {
  boost::asio::post(context_, [this, fd, peer = std::move(peer), place = std::move(place)]() mutable {
    boost::asio::co_spawn(context_, receive_client(*this, fd, std::move(peer), std::move(place)),
                          boost::asio::detached);
  });
}

void loop::publish(session::world_ptr w, std::uint64_t ticket) {
  boost::asio::post(context_, [this, w = std::move(w), ticket] { take_world(w, ticket); });
}

void loop::drain(bool now) {
  boost::asio::post(context_, [this, now] {
    draining_ = true;
    board_.draining.set(1);
    for (auto i = relays_.begin(); i != relays_.end();) (i++)->shutdown(now);
  });
}

void loop::reconfigure(std::shared_ptr<const config::settings> s) {
  boost::asio::post(context_, [this, s = std::move(s)] {
    settings_ = s;
    if (appliers_) appliers_->use_budget(s->dual_write.budget_ms);
  });
}

void loop::list(std::size_t max, std::function<void(std::vector<control::session_view>)> answer) {
  boost::asio::post(context_, [this, max, answer = std::move(answer)] {
    std::vector<control::session_view> all;
    for (const relay& r : relays_) {
      if (all.size() >= max) break;
      all.push_back(r.view());
    }
    answer(std::move(all));
  });
}

void loop::cancel(std::uint64_t session, cancel_answer answer) {
  boost::asio::post(context_, [this, session, answer = std::move(answer)] {
    const auto found = std::find_if(relays_.begin(), relays_.end(), [&](const relay& r) { return r.id() == session; });
    answer(found != relays_.end() && found->cancel());
  });
}

// --- the world

void loop::take_world(session::world_ptr w, std::uint64_t ticket) {
  if (ticket < board_.ticket.get()) return;  // an older one that was overtaken
  trusted_world_ = nullptr;
  give_world(std::move(w));
  board_.epoch.set(static_cast<std::uint64_t>(world_->routing.epoch));
  board_.ticket.set(ticket);
  services_.changed();
}

void loop::give_world(session::world_ptr w) {
  world_ = std::move(w);
  use_secondary();
  watching_ = true;
  for (auto i = relays_.begin(); i != relays_.end();) (i++)->world_changed(world_);
  settle_watch();
}

// The control thread will hold everybody as well, or tell of another world: this is for the moment until it has looked.
void loop::hold_for_trust() {
  trusted_world_ = world_;
  auto held = std::make_shared<session::world>(*world_);
  held->routing.holding = true;
  give_world(std::move(held));
  trust_again_later();
}

void loop::trust_again_later() {
  trust_timer_.expires_after(trust_look);
  trust_timer_.async_wait([this](error_code ec) {
    if (ec || !trusted_world_) return;
    if (std::chrono::steady_clock::now() > board_.trusted_until.load()) return trust_again_later();
    give_world(std::exchange(trusted_world_, nullptr));
  });
}

// The appliers exist only where writes are mirrored; they follow the secondary when the roles swap.
void loop::use_secondary() {
  if (!world_->routing.mirrors() || !world_->secondary) return;
  const auto place = control::other(world_->routing.primary());
  const auto& conninfo = services_.places[static_cast<std::size_t>(place)].conninfo;
  if (!appliers_) {
    appliers_ = std::make_unique<apply::applier_pool>(context_, conninfo, appliers_of(*settings_));
    appliers_->expect(expected_);
  } else if (place == appliers_place_ && appliers_catalog_ == world_->secondary) {
    return;
  }
  appliers_place_ = place;
  appliers_catalog_ = world_->secondary;
  appliers_->secondary_changed(conninfo, world_->secondary);
}

// Goes on looking at every turn only as long as someone may be waiting for an answer.
void loop::settle_watch() {
  watching_ = world_->routing.warming || world_->routing.holding || board_.behind.get() != 0;
}

void loop::restand(relay& r) {
  const standing before = r.last_standing();
  const standing now = r.stands();
  const auto move = [](board_number& n, bool was, bool is) {
    if (was != is) n.set(n.get() + (is ? 1 : -1));
    return was && !is && n.get() == 0;
  };
  const bool renamed = before.unmovable != now.unmovable;
  r.set_standing(now);
  const bool free =
      renamed && show_unmovable();  // first: who reads that none is cold finds those named that never will be warm
  bool zero = move(board_.behind, before.behind, now.behind);
  zero |= move(board_.open, before.open, now.open);
  zero |= move(board_.cold, before.cold, now.cold);
  if (zero) settle_watch();
  if (zero || free) services_.changed();
}

// Whether nobody is named any more.
bool loop::show_unmovable() {
  std::vector<control::unmovable_session> named;
  for (const relay& r : relays_) {
    if (r.last_standing().unmovable.empty()) continue;
    control::unmovable_session u{r.id(), r.last_standing().unmovable};
    if (u.shut_out()) named.insert(named.begin(), std::move(u));
    else if (named.size() < control::fleet_view::unmovable_max) named.push_back(std::move(u));
    if (named.size() > control::fleet_view::unmovable_max) named.pop_back();
  }
  const std::lock_guard lock(board_.mutex);
  board_.unmovable = std::move(named);
  return board_.unmovable.empty();
}

void loop::backend_changed(std::uint32_t from, std::uint32_t to) {
  const std::lock_guard lock(board_.mutex);
  if (const auto found = board_.backends.find(from); found != board_.backends.end()) board_.backends.erase(found);
  if (to != 0) board_.backends.insert(to);
}

// --- what sessions use

void loop::lend(std::string& to_client, std::string& to_primary) {
  to_client.swap(client_bytes_);
  to_primary.swap(primary_bytes_);
}

void loop::take_back(std::string& to_client, std::string& to_primary) {
  to_client.swap(client_bytes_);
  to_primary.swap(primary_bytes_);
  for (auto* bytes : {&client_bytes_, &primary_bytes_})
    if (bytes->capacity() > kept_capacity) std::string().swap(*bytes);
}

void loop::submit(session::op_ptr o, apply::answer done) {
  if (appliers_) return appliers_->submit(std::move(o), std::move(done));
  boost::asio::post(context_, [o = std::move(o), done = std::move(done)] {
    done(o, {session::apply_result::breaker_open, "", "no secondary is known"});
  });
}

void loop::expect(int more) {
  expected_ += more;
  if (appliers_) appliers_->expect(more);
}

void loop::overdue(const session::op_ptr& o) {
  if (appliers_) appliers_->overdue(o);
}

void loop::catalog_wanted() { services_.catalog_wanted(); }

task<login_result> loop::log_in(control::place where, const arrival& who) {
  return log_in_to(context_, services_.places[static_cast<std::size_t>(where)], where, who.identity);
}

void loop::admit(boost::intrusive_ptr<relay> r, std::string_view first_bytes) {
  relays_.push_back(*r);
  board_.sessions.add(1);
  backend_changed(0, r->backend());
  check_trust();
  relay* mine = r.detach();  // the list's reference; retired() gives it back
  mine->begin(first_bytes);
}

void loop::retired(relay& r) {
  const standing gone = r.last_standing();
  relays_.erase(relays_.iterator_to(r));
  board_.sessions.set(relays_.size());
  backend_changed(r.backend(), 0);
  bool zero = false;
  const auto leave = [&](board_number& n, bool counted) {
    if (!counted) return;
    n.set(n.get() - 1);
    zero |= n.get() == 0;
  };
  leave(board_.behind, gone.behind);
  leave(board_.open, gone.open);
  leave(board_.cold, gone.cold);
  if (!gone.unmovable.empty()) zero |= show_unmovable();
  intrusive_ptr_release(&r);
  if (zero) services_.changed();
}

}  // namespace pgtandem::net
