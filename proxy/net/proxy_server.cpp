#include "proxy/net/proxy_server.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <thread>

#include "proxy/net/placement.hpp"
#include "proxy/net/random_bytes.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::net {
namespace {

namespace log = telemetry::log;

constexpr std::chrono::milliseconds drain_look{20};  // between two looks at how many clients are left
constexpr std::chrono::seconds last_words{6};        // after the hurry: sessions have said what they had to say
constexpr std::chrono::seconds report_interval{1};
constexpr std::size_t salt_key_bytes = 32;

std::size_t threads_of(const config::settings& s) {
  if (s.listen.threads != 0) return s.listen.threads;
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

proxy_server::proxy_server(loop_services services, session::world_ptr first)
    : services_(std::move(services)),
      admission_(services_.settings->listen.max_clients),
      acceptor_(context_, [this](int fd, std::string peer) { take(fd, std::move(peer)); }),
      signals_(context_),
      drain_timer_(context_),
      report_timer_(context_) {
  services_.cancels = &cancels_;
  services_.salt_key = random_bytes(salt_key_bytes);
  services_.changed = [this] { changed(); };
  for (std::size_t i = 0; i < threads_of(*services_.settings); ++i)
    loops_.push_back(std::make_unique<loop>(services_, first));
}

proxy_server::~proxy_server() {
  for (auto& l : loops_) l->stop();
}

std::string proxy_server::listen() {
  const auto& l = services_.settings->listen;
  return acceptor_.listen(l.address, static_cast<std::uint16_t>(l.port));
}

void proxy_server::run() {
  for (auto& l : loops_) l->start();
  hear_signals();
  report_later();
  context_.run();
  for (auto& l : loops_) l->stop();
}

void proxy_server::take(int fd, std::string peer) {
  if (admission_.crowded()) {
    services_.meter->add(telemetry::metric::clients_refused, 1, "53300");
    ::close(fd);
    return;
  }
  std::vector<std::uint32_t> loads;
  for (const auto& l : loops_) loads.push_back(l->board().load.load());
  loop& chosen = *loops_[choose_loop(loads, services_.settings->listen.clients_together)];
  chosen.adopt(fd, std::move(peer), admission::place(admission_, chosen.board().load));
}

// --- the end

void proxy_server::hear_signals() {
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) {
    error_code ignored;
    signals_.add(s, ignored);
  }
  signals_.async_wait([this](error_code ec, int which) {
    if (ec) return;
    if (which == SIGHUP) {
      if (reload_) reload_();
    } else if (which == SIGTERM && !draining_) {
      drain();
    } else {
      stop();
    }
    hear_signals();
  });
}

void proxy_server::drain() {
  boost::asio::post(context_, [this] {
    if (draining_) return;
    draining_ = true;
    log::info("draining", {{"clients", admission_.clients()}});
    acceptor_.close();
    drain_until_ = std::chrono::steady_clock::now() + std::chrono::seconds(services_.settings->listen.drain_seconds);
    for (auto& l : loops_) l->drain(false);
    watch_drain();
  });
}

void proxy_server::watch_drain() {
  drain_timer_.expires_after(drain_look);
  drain_timer_.async_wait([this](error_code ec) {
    if (ec) return;
    if (admission_.clients() == 0) return context_.stop();
    if (std::chrono::steady_clock::now() >= drain_until_) {
      if (hurried_) return context_.stop();
      hurried_ = true;
      drain_until_ += last_words;
      for (auto& l : loops_) l->drain(true);
    }
    watch_drain();
  });
}

void proxy_server::stop() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    hurried_ = true;
    acceptor_.close();
    for (auto& l : loops_) l->drain(true);
    drain_until_ = std::chrono::steady_clock::now() + drain_look;
    watch_drain();
  });
}

void proxy_server::reload_soon() {
  boost::asio::post(context_, [this] {
    if (reload_) reload_();
  });
}

void proxy_server::reconfigure(std::shared_ptr<const config::settings> s) {
  boost::asio::post(context_, [this, s = std::move(s)] {
    services_.settings = s;
    admission_.limit(s->listen.max_clients);
    for (auto& l : loops_) l->reconfigure(s);
  });
}

void proxy_server::report_later() {
  report_timer_.expires_after(report_interval);
  report_timer_.async_wait([this](error_code ec) {
    if (ec) return;
    std::uint64_t queue = 0, open = 0, groups = 0, grouped = 0, longest_us = 0;
    for (const auto& l : loops_) {
      queue += l->board().applier_queue.get();
      open += l->board().breaker_open.get();
      groups += l->board().groups.get();
      grouped += l->board().grouped_ops.get();
      longest_us = std::max(longest_us, l->board().longest_wait_us.get());
    }
    services_.meter->set(telemetry::metric::clients, view().sessions);
    services_.meter->set(telemetry::metric::applier_queue, static_cast<double>(queue));
    services_.meter->set(telemetry::metric::breaker_open, static_cast<double>(open));
    services_.meter->set(telemetry::metric::secondary_wait_max, static_cast<double>(longest_us) / 1e6);
    if (groups > 0)
      services_.meter->set(telemetry::metric::group_size, static_cast<double>(grouped) / static_cast<double>(groups));
    report_later();
  });
}

}  // namespace pgtandem::net
