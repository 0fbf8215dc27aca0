// `pgtandem proxy`: the loops, the control thread and the signals, put together.
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <sstream>

#include "config/file.hpp"
#include "config/reload.hpp"
#include "proxy/admin/http_server.hpp"
#include "proxy/control/control_thread.hpp"
#include "proxy/net/commands.hpp"
#include "proxy/net/proxy_server.hpp"
#include "proxy/net/secret_finder.hpp"
#include "proxy/session/auth_file.hpp"
#include "proxy/telemetry/log.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::net {
namespace {

namespace log = telemetry::log;

// Nothing if the file is named and wrong.
std::optional<secret_finder::book> read_auth_file(const std::string& name) {
  if (name.empty()) return secret_finder::book{};
  std::ifstream file(name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    std::cerr << name << ": cannot be read\n";
    return std::nullopt;
  }
  auto read = session::parse_auth_file(text.str());
  for (const auto& m : read.mistakes) std::cerr << name << ":" << m.line << ": " << m.message << "\n";
  if (!read.mistakes.empty()) return std::nullopt;
  return std::move(read.secrets);
}

std::optional<place_address> address_of(std::string_view name, const std::string& conninfo) {
  auto server = database::resolve(conninfo);
  if (!server) {
    std::cerr << name << ": " << server.error().message << "\n";
    return std::nullopt;
  }
  for (const auto& e : server->endpoints) {
    if (e.unix_socket || (server->sslmode != "require" && !server->sslmode.starts_with("verify"))) continue;
    std::cerr << name << ": sslmode " << server->sslmode << " is not supported for the sessions of clients\n";
    return std::nullopt;
  }
  return place_address{std::move(*server), conninfo};
}

// Everything of one proxy process. Members end in the reverse order of their start.
class proxy_process {
 public:
  proxy_process(std::string config_file, config::settings s, std::array<place_address, 2> places,
                secret_finder::book book)
      : config_file_(std::move(config_file)),
        settings_(std::move(s)),
        secrets_(std::move(book), places, settings_.auth.query, [this] { return primary(); }),
        server_(services(std::move(places)), std::make_shared<session::world>()),
        control_(control::control_settings_of(settings_), server_, meter_),
        admin_({control_, server_, meter_, [this] { return admin_token(); }, [this] { server_.reload_soon(); }}) {}

  int run() {
    if (const auto problem = server_.listen(); !problem.empty()) {
      std::cerr << problem << "\n";
      return 1;
    }
    const auto& a = settings_.admin;
    if (const auto problem = admin_.start(a.address, static_cast<std::uint16_t>(a.port)); !problem.empty()) {
      std::cerr << problem << "\n";
      return 1;
    }
    server_.on_reload([this] { reload(); });
    control_.start();
    control_.wait_ready(start_limit);  // else clients hear 57P03 until it is
    log::info("listening", {{"address", settings_.listen.address}, {"port", server_.port()}});
    server_.run();
    admin_.stop();
    control_.stop();
    log::info("stopped");
    return 0;
  }

 private:
  static constexpr std::chrono::seconds start_limit{10};

  loop_services services(std::array<place_address, 2> places) {
    loop_services s;
    s.settings = std::make_shared<config::settings>(settings_);
    s.places = std::move(places);
    s.secrets = &secrets_;
    s.meter = &meter_;
    s.may_serve = [this](const session::world& w) { return may_serve(w); };
    s.catalog_wanted = [this] { control_.refresh_catalog(); };
    return s;
  }

  // Once the coordinator knows of this proxy, for good; a loop that has not taken the first world of the migration
  // waits for it.
  bool may_serve(const session::world& w) {
    if (!ready_ && control_.ready()) ready_ = true;
    return ready_ && (w.routing.epoch != 0 || control_.world()->routing.epoch == 0);
  }

  control::place primary() { return control_.world()->routing.primary(); }

  std::string admin_token() {
    const std::lock_guard lock(mutex_);
    return settings_.admin.token;
  }

  void reload() {
    const auto wanted = settings_from(config_file_);
    if (!wanted) return log::warning("configuration not reloaded: it has mistakes");
    auto changed = config::reload(settings_, *wanted);
    for (const auto& name : changed.applied) log::info("setting changed", {{"setting", name}});
    for (const auto& name : changed.refused) log::warning("setting needs a restart", {{"setting", name}});
    {
      const std::lock_guard lock(mutex_);
      settings_ = std::move(changed.values);
    }
    if (auto book = read_auth_file(settings_.auth.file)) secrets_.replace(std::move(*book));
    server_.reconfigure(std::make_shared<config::settings>(settings_));
    control_.change_limits(control::limits_of(settings_));
  }

  const std::string config_file_;
  std::atomic<bool> ready_{false};
  std::mutex mutex_;  // the admin's thread reads its token from settings_ while a reload may write it
  config::settings settings_;
  telemetry::meter meter_;
  secret_finder secrets_;
  proxy_server server_;
  control::control_thread control_;
  admin::http_server admin_;
};

}  // namespace

int command_proxy(const std::string& config_file) {
  auto s = settings_from(config_file);
  if (!s) return 2;
  auto source = address_of("source", s->source);
  auto target = address_of("target", s->target);
  auto book = read_auth_file(s->auth.file);
  if (!source || !target || !book) return 2;
  proxy_process p(config_file, std::move(*s), {std::move(*source), std::move(*target)}, std::move(*book));
  return p.run();
}

}  // namespace pgtandem::net
