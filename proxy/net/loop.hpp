// One thread of the proxy: an io_context, the sessions that live on it, their shared analyzer cache and their appliers.
//
// A session never leaves its loop, so nothing here is locked; other threads post. The loop outlives its sessions; what
// `services` points to outlives the loop.
#pragma once
#include <algorithm>
#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.hpp"
#include "proxy/apply/applier_pool.hpp"
#include "proxy/control/fleet.hpp"
#include "proxy/net/arrival.hpp"
#include "proxy/net/asio_types.hpp"
#include "proxy/net/loop_board.hpp"
#include "proxy/net/loop_services.hpp"
#include "proxy/net/peer_stream.hpp"
#include "proxy/net/relay.hpp"
#include "proxy/net/server_login_task.hpp"
#include "proxy/session/world.hpp"
#include "proxy/sql/analysis.hpp"

namespace pgtandem::net {

class loop {
 public:
  loop(const loop_services& services, session::world_ptr first);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  // --- from any thread
  void start();  // its thread
  void adopt(int fd, std::string peer, admission::place place);
  void publish(session::world_ptr w, std::uint64_t ticket);
  void drain(bool now);  // session::shutdown for all; newcomers are refused
  void stop();           // ends the thread; waits for it
  void reconfigure(std::shared_ptr<const config::settings> s);
  void list(std::size_t max, std::function<void(std::vector<control::session_view>)> answer);
  void cancel(std::uint64_t session, cancel_answer answer);
  loop_board& board() { return board_; }
  const loop_board& board() const { return board_; }

  // --- from the loop's own thread: what its sessions use
  boost::asio::io_context& context() { return context_; }
  const loop_services& services() const { return services_; }
  const config::settings& settings() const { return *settings_; }
  sql::analyzer& analyzer() { return analyzer_; }
  const session::world_ptr& world() const { return world_; }
  bool draining() const { return draining_; }
  traffic& client_traffic() { return client_traffic_; }
  std::uint64_t next_session_id() { return ++last_id_; }

  // A big buffer for the length of one turn; the core copies what it keeps.
  std::span<char> scratch() { return {scratch_.get(), scratch_size_}; }
  // Capacity for the length of one turn.
  void lend(std::string& to_client, std::string& to_primary);
  void take_back(std::string& to_client, std::string& to_primary);
  std::size_t high_water() const { return settings_->session.high_water_bytes; }

  void submit(session::op_ptr o, apply::answer done);
  void expect(int more);                   // ops that are about to be submitted
  void overdue(const session::op_ptr& o);  // its client waits no longer
  // An op has waited so long for the secondary.
  void waited(std::chrono::steady_clock::duration d) { longest_wait_ = std::max(longest_wait_, d); }
  void catalog_wanted();
  void count(session::tally& t);  // collected here, handed to the meter once a second
  task<login_result> log_in(control::place where, const arrival& who);

  void admit(boost::intrusive_ptr<relay> r, std::string_view first_bytes);
  void retired(relay& r);
  // Before a client's bytes go to its session: is the world still one to begin something under? If not, sessions are held.
  void check_trust() {
    if (!trusted_world_ && std::chrono::steady_clock::now() > board_.trusted_until.load(std::memory_order_relaxed))
      hold_for_trust();
  }
  void backend_changed(std::uint32_t from, std::uint32_t to);  // a session's process on its primary's server; 0 = none
  bool watching() const { return watching_; }  // a flip is under way: sessions report where they stand
  void restand(relay& r);

 private:
  void take_world(session::world_ptr w, std::uint64_t ticket);
  void hold_for_trust();
  void trust_again_later();
  void give_world(session::world_ptr w);
  void use_secondary();
  void settle_watch();
  bool show_unmovable();
  void report();
  void report_later();

  loop_board board_;        // outlives the handlers, which hold places on it
  traffic client_traffic_;  // outlives the streams, which the handlers hold
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<executor> work_;
  loop_services services_;
  std::shared_ptr<const config::settings> settings_;
  sql::analyzer analyzer_;
  session::world_ptr world_;
  session::world_ptr trusted_world_;  // not null: held for want of trust; what was taken last
  std::unique_ptr<apply::applier_pool> appliers_;
  int expected_ = 0;  // ops that are about to be submitted
  sql::catalog_ptr appliers_catalog_;
  control::place appliers_place_ = control::place::target;
  std::size_t scratch_size_;
  std::unique_ptr<char[]> scratch_;
  std::string client_bytes_, primary_bytes_;
  boost::intrusive::list<relay, boost::intrusive::constant_time_size<true>> relays_;
  std::uint64_t last_id_;
  session::tally counted_;
  std::chrono::steady_clock::duration longest_wait_{};
  apply::pool_tally appliers_counted_;
  traffic traffic_counted_;
  std::uint64_t analyzer_hits_ = 0, analyzer_misses_ = 0;  // of the last report
  timer report_timer_{context_}, trust_timer_{context_};
  bool watching_ = false, draining_ = false;
  std::thread thread_;
};

}  // namespace pgtandem::net
