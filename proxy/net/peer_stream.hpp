// One peer of a session: its socket, the bytes it has not taken yet, and the small buffer in which a wait for input
// ends.
//
// Writes are tried at once and only what the kernel does not take is kept; reads are tried at once into a buffer that
// the whole loop shares. So an idle session holds `wait_bytes` a peer and nothing else. One thread. Shared
// (intrusively) by its session and by the operation in flight, which fills or drains buffers that live here.
#pragma once
#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/net/asio_types.hpp"

namespace pgtandem::net {

// Bytes of the streams of one kind together. Outlives the streams that count in it; one thread.
struct traffic {
  std::uint64_t read = 0, written = 0;  // from and to the kernel
};

class peer_stream : public boost::intrusive_ref_counter<peer_stream, boost::thread_unsafe_counter> {
 public:
  static constexpr std::size_t wait_bytes = 4096;  // a request or an answer of an ordinary transaction fits

  // The socket is made non-blocking. `count`: where its bytes are counted, null = nowhere.
  explicit peer_stream(stream_socket socket, traffic* count = nullptr);

  // Sends now what the kernel takes and keeps the rest in order. Leaves `bytes` empty with a capacity to use again.
  // `more`: more follows soon, the kernel may wait for it (MSG_MORE, 200 ms at most: tcp(7), TCP_CORK).
  void send(std::string& bytes, bool more = false);
  std::size_t unsent() const { return unsent_.size() - sent_; }
  bool broken() const { return broken_; }  // a write failed: what is sent from then on is dropped

  // What can be read now. 0 and no error: nothing there yet.
  std::size_t read_now(std::span<char> into, error_code& ec);

  // Waits for input; h(ec, bytes). At most one at a time; false = one is under way already.
  template <class Handler>
  bool wait_input(Handler h);
  // Waits until the kernel takes more and gives it more; h(). At most one at a time; false = one is under way already.
  template <class Handler>
  bool wait_output(Handler h);

  // Waits until nothing is unsent, for a conversation that goes step by step (not together with wait_output).
  task<void> drained(error_code& ec);

  // Ends both waits (their handlers hear operation_aborted). `orderly`: what is unsent or unread does not reset the
  // line.
  void close(bool orderly = false);
  bool open() const { return socket_.is_open(); }
  // For bytes that were read through socket().
  void heard(std::size_t n) {
    if (count_) count_->read += n;
  }
  stream_socket& socket() { return socket_; }

 private:
  std::size_t write_now(std::string_view bytes, bool more = false);
  void send_unsent();

  stream_socket socket_;
  traffic* const count_;
  std::string unsent_;
  std::size_t sent_ = 0;  // bytes of unsent_ that are gone
  bool reading_ = false, writing_ = false, broken_ = false;
  std::array<char, wait_bytes> input_;
};
using stream_ptr = boost::intrusive_ptr<peer_stream>;

template <class Handler>
bool peer_stream::wait_input(Handler h) {
  if (reading_) return false;
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(input_),
                          [me = stream_ptr(this), h = std::move(h)](error_code ec, std::size_t n) mutable {
                            me->reading_ = false;
                            me->heard(n);
                            h(ec, std::string_view(me->input_.data(), n));
                          });
  return true;
}

template <class Handler>
bool peer_stream::wait_output(Handler h) {
  if (writing_) return false;
  writing_ = true;
  socket_.async_wait(stream_socket::wait_write, [me = stream_ptr(this), h = std::move(h)](error_code ec) mutable {
    me->writing_ = false;
    if (!ec) me->send_unsent();
    h();
  });
  return true;
}

}  // namespace pgtandem::net
