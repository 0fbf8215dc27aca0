#include "proxy/net/secret_finder.hpp"

#include "proxy/database/connection.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::net {
namespace {

constexpr std::chrono::seconds connect_limit{4}, query_limit{4};  // together, twice, below secret_source::answer_limit

}  // namespace

// The connection of the thread, opened anew when it is lost or the primary has moved.
class secret_finder::asker {
 public:
  explicit asker(const secret_finder& of) : of_(of) {}

  secret_answer operator()(const std::string& user) {
    const auto where = of_.primary_();
    if (connection_ && (connection_->lost() || where != where_)) connection_.reset();
    if (!connection_ && !open(where)) return {};
    auto found = connection_->execute(of_.query_, {database::param(user)});
    if (!found && connection_->lost() && open(where)) found = connection_->execute(of_.query_, {database::param(user)});
    if (!found) return complain(found.error().message);
    if (found->size() == 0 || found->columns() == 0) return {.asked = true};
    const int last = found->columns() - 1;  // of (usename, passwd), as pgbouncer has it, or of the secret alone
    if (found->null(0, last)) return {.asked = true};
    return {.asked = true, .secret = std::string(found->at(0, last))};
  }

 private:
  bool open(control::place where) {
    where_ = where;
    connection_.reset();
    auto c = database::connection::open(
        of_.places_[static_cast<std::size_t>(where)].conninfo,
        {.application_name = "pgtandem auth", .connect_timeout = connect_limit, .statement_limit = query_limit});
    if (!c) {
      complain(c.error().message);
      return false;
    }
    connection_.emplace(std::move(*c));
    return true;
  }

  static secret_answer complain(const std::string& why) {
    telemetry::log::warning("auth query failed", {{"reason", why}});
    return {};
  }

  const secret_finder& of_;
  std::optional<database::connection> connection_;
  control::place where_ = control::place::source;
};

secret_finder::secret_finder(book from_file, const std::array<place_address, 2>& places, std::string query,
                             std::function<control::place()> primary)
    : places_(places), query_(std::move(query)), primary_(std::move(primary)), book_(std::move(from_file)) {
  if (!query_.empty()) thread_ = std::thread([this] { run(); });
}

secret_finder::~secret_finder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void secret_finder::replace(book from_file) {
  const std::lock_guard lock(mutex_);
  book_ = std::move(from_file);
}

std::optional<std::string> secret_finder::known(const std::string& user) const {
  if (const auto it = book_.find(user); it != book_.end()) return it->second;
  for (const auto& place : places_)
    if (place.server.user == user && !place.server.endpoints.front().password.empty())
      return place.server.endpoints.front().password;
  return std::nullopt;
}

void secret_finder::ask(std::string user, std::function<void(secret_answer)> answer) {
  secret_answer now;
  {
    const std::lock_guard lock(mutex_);
    now.secret = known(user);
    now.asked = now.secret || query_.empty();
    if (!now.asked && !stopping_ && waiting_.size() < queue_max) {
      waiting_.push_back({std::move(user), std::move(answer)});
      wake_.notify_one();
      return;
    }
  }
  answer(std::move(now));
}

void secret_finder::run() {
  asker ask_primary(*this);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const question q = std::move(waiting_.front());
    waiting_.pop_front();
    const bool give_up = stopping_;
    lock.unlock();
    q.answer(give_up ? secret_answer{} : ask_primary(q.user));
    lock.lock();
  }
}

}  // namespace pgtandem::net
