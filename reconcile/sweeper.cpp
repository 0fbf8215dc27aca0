#include "reconcile/sweeper.hpp"

#include <chrono>
#include <optional>

#include "proxy/telemetry/log.hpp"
#include "reconcile/block_watch.hpp"
#include "reconcile/session_settings.hpp"
#include "reconcile/sweep_record.hpp"

namespace pgtandem::reconcile {
namespace {

using database::connection;
using database::result;
using std::chrono::milliseconds;
namespace log = telemetry::log;

constexpr std::chrono::minutes statement_limit{30};  // one table's checksum

// The sessions of a sweep. A pair's sessions may run one statement for long.
struct sessions {
  std::optional<connection> primary, secondary, primary_plain, secondary_plain;

  result<void> open(const config::settings& s, const standing& at) {
    const bool from_source = at.primary() == control::place::source;
    session_limits patient;
    patient.statement = patient.idle = statement_limit;  // one side waits while the other reads
    for (auto& [session, source, limits] :
         {std::tuple(&primary, from_source, patient), std::tuple(&secondary, !from_source, patient),
          std::tuple(&primary_plain, from_source, session_limits()),
          std::tuple(&secondary_plain, !from_source, session_limits())}) {
      auto c = connection::open(source ? s.source : s.target, session_options("sweep", limits));
      if (!c) return c.error();
      session->emplace(std::move(*c));
    }
    return {};
  }
};

}  // namespace

sweeper::~sweeper() {
  stop_.ring();
  if (thread_.joinable()) thread_.join();
}

bool sweeper::idle() {
  if (ended_ && thread_.joinable()) thread_.join();
  return ended_;
}

void sweeper::start(const standing& at, sql::catalog_ptr primary_catalog) {
  if (!idle()) return;
  at_ = at;
  stop_.reset();
  ended_ = false;
  catalog_ = std::move(primary_catalog);
  thread_ = std::thread([this] {
    sweep_on();
    ended_ = true;
  });
}

void sweeper::sweep_on() {
  const auto pause = [this](milliseconds time) { stop_.rest(time); };
  sessions on;
  if (auto r = on.open(settings_, at_); !r) {
    log::warning("sweep cannot begin", {{"sqlstate", r.error().sqlstate}});
    return pause(milliseconds(settings_.reconcile.sweep_pause_ms));
  }
  const bool from_source = at_.primary() == control::place::source;
  block_watch watch({from_source ? settings_.source : settings_.target, on.primary->backend_pid()},
                    {from_source ? settings_.target : settings_.source, on.secondary->backend_pid()}, stop_);
  while (!stop_) {
    auto ready = backfilled_tables(from_source ? *on.secondary_plain : *on.primary_plain);
    if (!ready) return;
    auto boots = read_boots(*on.primary, *on.secondary);
    if (!boots) return;
    auto pass = record_begin(*on.primary_plain, at_.epoch, *boots);
    if (!pass) return;
    const auto began = std::chrono::steady_clock::now();
    auto tally = sweep_pass(settings_, at_, *catalog_,
                            {*on.primary, *on.secondary, *on.primary_plain, *on.secondary_plain}, watch, stop_)
                     .run([&](const std::string& name) { return ready->contains(name); });
    if (!tally) {
      log::warning("sweep interrupted", {{"sqlstate", tally.error().sqlstate}, {"why", tally.error().message}});
      return pause(milliseconds(settings_.reconcile.sweep_pause_ms));  // started again with new sessions
    }
    if (stop_) return;
    if (auto r = record_end(*on.primary_plain, *pass, *tally); !r) return;
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    log::info("sweep pass", {{"pass", *pass},
                             {"checksum_ok", tally->clean()},
                             {"rows", tally->rows},
                             {"leaves", tally->leaves},
                             {"set_aside", tally->set_aside},
                             {"differing", tally->differing},
                             {"skipped", tally->skipped},
                             {"ms", took.count()}});
    pause(milliseconds(settings_.reconcile.sweep_pause_ms));
  }
}

}  // namespace pgtandem::reconcile
