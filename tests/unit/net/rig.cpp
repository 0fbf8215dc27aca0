#include "tests/unit/net/rig.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "protocol/frontend_messages.hpp"

namespace pgtandem::net::test {

config::settings small_settings() {
  config::settings s;
  s.listen.port = 0;
  s.listen.threads = 1;
  s.listen.drain_seconds = 1;
  s.listen.login_seconds = 1;
  s.session.high_water_bytes = 64 << 10;
  return s;
}

rig::rig(config::settings s) {
  loop_services services;
  services.settings = std::make_shared<config::settings>(std::move(s));
  for (auto& place : services.places) {
    place.server.endpoints.push_back({.host = "127.0.0.1", .port = server.port()});
    place.server.database = "shop";
  }
  services.secrets = &secrets;
  services.meter = &meter;
  services.may_serve = [this](const session::world&) { return serves.load(); };
  services.catalog_wanted = [] {};
  proxy = std::make_unique<proxy_server>(std::move(services), std::make_shared<session::world>());
  if (!proxy->listen().empty()) std::abort();
  thread_ = std::thread([this] {
    proxy->run();
    ended_ = true;
  });
}

rig::~rig() {
  proxy->stop();
  thread_.join();
}

wire rig::connect() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(proxy->port());
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  (void)::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a);
  return wire(fd);
}

std::string rig::startup_packet(std::string_view database) {
  std::string out;
  const std::pair<std::string, std::string> words[] = {{"user", "ann"}, {"database", std::string(database)}};
  protocol::write_startup(out, words);
  return out;
}

wire rig::log_in(std::string* greeting) {
  wire w = connect();
  w.send(startup_packet());
  const auto heard = w.until(protocol::backend::ready_for_query);
  if (greeting) *greeting = heard;
  return w;
}

std::string rig::query(std::string_view sql) {
  std::string out;
  protocol::write_query(out, sql);
  return out;
}

bool rig::ended(int limit_ms) {
  for (int i = 0; i < limit_ms && !ended_; ++i) ::usleep(1000);
  return ended_;
}

}  // namespace pgtandem::net::test
