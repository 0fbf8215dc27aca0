#include "proxy/net/arrival_task.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <memory>

#include "proxy/net/cancel_task.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/random_bytes.hpp"

namespace pgtandem::net {
namespace {

constexpr int login_attempts_max = 3;                        // the primary may move while a client is logging in
constexpr std::chrono::milliseconds last_words_limit{2000};  // for a refusal to reach the client

// The socket family of an accepted descriptor is what the kernel says.
stream_socket adopted(boost::asio::io_context& context, int fd) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size);
  stream_socket socket(context);
  error_code ec;
  socket.assign(boost::asio::generic::stream_protocol(local.ss_family, 0), fd, ec);
  return socket;
}

// One client on its way in. Lives in the frame of receive_client(); `clock` refers to it weakly.
class way_in {
 public:
  way_in(loop& home, arrival who)
      : home_(home), context_(home.context()), who_(std::move(who)), core_(rules_of(home)), watchdog_(context_) {}

  task<void> run() {
    start_clock();
    for (;;) {
      auto wish = core_.take();
      who_.stream->send(wish.to_client);
      if (wish.cancel) {
        home_.services().meter->add(telemetry::metric::cancel_requests);
        co_return co_await forward_cancel(context_, *home_.services().cancels, {wish.cancel->pid, wish.cancel->secret});
      }
      if (!wish.refused.empty()) home_.services().meter->add(telemetry::metric::clients_refused, 1, wish.refused);
      if (wish.close_client) co_return co_await say_last_words();
      if (wish.lookup) {
        co_await find_secret();
      } else if (wish.log_in) {
        if (co_await log_in()) co_return;
      } else if (!co_await hear_client()) {
        co_return;
      }
    }
  }

 private:
  static session::startup_rules rules_of(loop& home) {
    const auto& s = home.settings();
    return {.method = s.auth.scram() ? session::auth_method::scram_sha_256 : session::auth_method::trust,
            .database = home.services().places[0].server.database,
            .salt_key = home.services().salt_key,
            .nonce = random_bytes(nonce_bytes)};
  }

  void start_clock() {
    watchdog_.expires_after(std::chrono::seconds(home_.settings().listen.login_seconds));
    watchdog_.async_wait([late = late_, stream = who_.stream](error_code ec) {
      if (ec) return;
      *late = true;
      stream->socket().cancel(ec);
    });
  }

  // false: the client is gone.
  task<bool> hear_client() {
    error_code ec;
    co_await who_.stream->drained(ec);
    std::size_t n = 0;
    if (!ec)
      n = co_await who_.stream->socket().async_read_some(boost::asio::buffer(input_),
                                                         boost::asio::redirect_error(use_task, ec));
    if (*late_) {
      core_.refuse("57014", "canceling authentication due to timeout");
      co_return true;
    }
    if (ec) co_return false;
    who_.stream->heard(n);
    core_.client_data({input_.data(), n});
    co_return true;
  }

  // Also where a client hears that there is no room: it has said who it is, so it understands the answer.
  task<void> find_secret() {
    if (who_.place.beyond_limit()) co_return core_.refuse("53300", "sorry, too many clients already");
    if (home_.draining()) co_return core_.refuse("57P03", "the proxy is shutting down");
    if (!home_.services().may_serve(*home_.world()))
      co_return core_.refuse("57P03", "the proxy does not know yet where the primary is");
    struct waiting {
      explicit waiting(boost::asio::io_context& c) : bell(c) {}
      timer bell;
      secret_answer answer;
    };
    const auto w = std::make_shared<waiting>(context_);
    w->bell.expires_after(secret_source::answer_limit);
    home_.services().secrets->ask(core_.who().user, [w, &context = context_](secret_answer a) {
      boost::asio::post(context, [w, a = std::move(a)]() mutable {
        w->answer = std::move(a);
        w->bell.cancel();
      });
    });
    error_code ec;
    co_await w->bell.async_wait(boost::asio::redirect_error(use_task, ec));
    if (!w->answer.asked) {
      core_.refuse("08006", "the secret of this user could not be looked up");
    } else if (w->answer.secret) {
      core_.secret_found(*w->answer.secret);
    } else {
      core_.secret_unknown();
    }
  }

  // true: a relay has taken over.
  task<bool> log_in() {
    for (int attempt = 0; attempt < login_attempts_max; ++attempt) {
      who_.identity = core_.who();
      const auto where = home_.world()->routing.primary();
      auto link = co_await home_.log_in(where, who_);
      if (!link) {
        const auto& e = link.error();
        e.raw.empty() ? core_.refuse(e.sqlstate, e.message) : core_.refuse_with(e.raw);
        co_return false;
      }
      if (home_.draining()) {
        core_.refuse("57P03", "the proxy is shutting down");
        co_return false;
      }
      if (where == home_.world()->routing.primary()) {
        hand_over(std::move(*link));
        co_return true;
      }
    }
    core_.refuse("57P03", "the primary is moving, try again");
    co_return false;
  }

  void hand_over(server_link link) {
    watchdog_.cancel();
    who_.key = registered_key(*home_.services().cancels);
    who_.key.point(link);
    const auto key = who_.key.key();
    core_.complete(link.hello, key.pid, key.secret, link.notices);
    auto greeting = core_.take();
    who_.stream->send(greeting.to_client);
    home_.admit(boost::intrusive_ptr<relay>(new relay(home_, std::move(who_), std::move(link))), core_.leftover());
  }

  task<void> say_last_words() {
    watchdog_.expires_after(last_words_limit);
    watchdog_.async_wait([stream = who_.stream](error_code ec) {
      if (!ec) stream->close();
    });
    error_code ec;
    co_await who_.stream->drained(ec);
    who_.stream->close(true);
  }

  loop& home_;
  boost::asio::io_context& context_;
  arrival who_;
  session::startup core_;
  timer watchdog_;
  std::shared_ptr<bool> late_ = std::make_shared<bool>(false);
  std::array<char, 1024> input_;
};

}  // namespace

task<void> receive_client(loop& home, int fd, std::string peer, admission::place place) {
  arrival who{.stream = stream_ptr(new peer_stream(adopted(home.context(), fd), &home.client_traffic())),
              .peer = std::move(peer),
              .identity = {},
              .key = {},
              .place = std::move(place)};
  way_in w(home, std::move(who));
  co_await w.run();
}

}  // namespace pgtandem::net
