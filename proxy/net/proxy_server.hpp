// All of the proxy that faces clients: the acceptor, the loops, and the fleet that the control thread sees.
//
// Construct, listen(), run() on the main thread until stop was asked for. Owns its loops' threads. What is passed in
// outlives it.
#pragma once
#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/control/fleet.hpp"
#include "proxy/net/acceptor.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/loop_services.hpp"
#include "proxy/session/world.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::net {

class proxy_server final : public control::fleet {
 public:
  // `services`: cancels, changed and salt_key are filled in here.
  proxy_server(loop_services services, session::world_ptr first);
  ~proxy_server() override;

  std::string listen();  // empty, or why not
  std::uint16_t port() const { return acceptor_.port(); }
  void run();  // returns when the last session has ended after drain(), or after stop()

  // --- from any thread
  void drain();  // no new clients; sessions end at their next idle moment, after listen.drain_seconds at once
  void stop();   // at once
  void on_reload(std::function<void()> reload) { reload_ = std::move(reload); }  // SIGHUP; before run()
  void reload_soon();                                                            // as if a SIGHUP had come
  void reconfigure(std::shared_ptr<const config::settings> s);

  // --- control::fleet
  std::uint64_t publish(session::world_ptr w) override;
  control::fleet_view view() const override;
  void trust_until(std::chrono::steady_clock::time_point t) override;
  void on_change(std::function<void()> wake) override;
  std::vector<control::session_view> list(std::size_t max) const override;

 private:
  void take(int fd, std::string peer);
  void hear_signals();
  void watch_drain();
  void report_later();
  void changed();

  boost::asio::io_context context_{1};
  loop_services services_;
  cancel_registry cancels_;
  admission admission_;
  std::vector<std::unique_ptr<loop>> loops_;
  acceptor acceptor_;
  boost::asio::basic_signal_set<executor> signals_;
  timer drain_timer_, report_timer_;
  std::chrono::steady_clock::time_point drain_until_{};
  bool draining_ = false, hurried_ = false;
  std::function<void()> reload_;
  mutable std::mutex wake_mutex_, publish_mutex_;
  std::function<void()> wake_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace pgtandem::net
