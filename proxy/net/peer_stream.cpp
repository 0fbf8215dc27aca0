#include "proxy/net/peer_stream.hpp"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <cerrno>

namespace pgtandem::net {
namespace {

constexpr int discard_reads_max = 16;  // of input nobody wants, when a line is closed in order
constexpr std::size_t kept_capacity = std::size_t{16}
                                      << 10;  // bytes of buffer a stream keeps when it has nothing to send

}  // namespace

peer_stream::peer_stream(stream_socket socket, traffic* count) : socket_(std::move(socket)), count_(count) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

std::size_t peer_stream::write_now(std::string_view bytes, bool more) {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
  for (;;) {
    const auto n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), flags);
    if (n >= 0) {
      if (count_) count_->written += static_cast<std::uint64_t>(n);
      return static_cast<std::size_t>(n);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) broken_ = true;
    return 0;
  }
}

void peer_stream::send(std::string& bytes, bool more) {
  if (bytes.empty()) return;
  if (!broken_) {
    const std::size_t done = unsent() == 0 ? write_now(bytes, more) : 0;
    if (done < bytes.size() && !broken_) {
      if (sent_ > unsent_.size() / 2) {  // keeps the gap in front below the rest: each byte moves at most once or twice
        unsent_.erase(0, sent_);
        sent_ = 0;
      }
      unsent_.append(bytes, done);
    }
  }
  bytes.clear();
}

void peer_stream::send_unsent() {
  if (unsent() != 0 && !broken_) sent_ += write_now(std::string_view(unsent_).substr(sent_));
  if (broken_ || unsent() == 0) {
    unsent_.clear();
    sent_ = 0;
    if (unsent_.capacity() > kept_capacity) std::string().swap(unsent_);
  }
}

task<void> peer_stream::drained(error_code& ec) {
  const stream_ptr me(this);
  while (!ec && unsent() != 0) {
    co_await socket_.async_wait(stream_socket::wait_write, boost::asio::redirect_error(use_task, ec));
    if (!ec) send_unsent();
  }
  if (broken_ && !ec) ec = boost::asio::error::broken_pipe;
}

std::size_t peer_stream::read_now(std::span<char> into, error_code& ec) {
  const std::size_t n = socket_.read_some(boost::asio::buffer(into.data(), into.size()), ec);
  if (ec == boost::asio::error::would_block || ec == boost::asio::error::try_again) {
    ec = {};
    return 0;
  }
  heard(n);
  return n;
}

void peer_stream::close(bool orderly) {
  if (!socket_.is_open()) return;
  error_code ec;
  if (orderly) {
    // Closing with unread input makes the kernel reset the line, and a reset may overtake the last message we sent.
    socket_.shutdown(stream_socket::shutdown_send, ec);
    for (int i = 0; i < discard_reads_max; ++i) {
      ec = {};
      if (read_now(input_, ec) == 0 || ec) break;
    }
  }
  socket_.close(ec);
}

}  // namespace pgtandem::net
