#include "proxy/net/peer_stream.hpp"

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>

#include "tests/unit/net/wire.hpp"

namespace pgtandem::net {
namespace {

struct couple {
  couple() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    stream_socket socket(context);
    socket.assign(boost::asio::generic::stream_protocol(AF_UNIX, 0), fds[0]);
    ours = stream_ptr(new peer_stream(std::move(socket)));
    theirs = test::wire(fds[1]);
  }
  boost::asio::io_context context{1};
  stream_ptr ours;
  test::wire theirs;
};

TEST_CASE("what the kernel does not take is kept, in order, and goes when the peer reads") {
  couple c;
  std::string sent, piece;
  for (int i = 0; sent.size() < (4u << 20); ++i) {
    piece = std::to_string(i) + std::string(5000, static_cast<char>('a' + i % 26));
    sent += piece;
    c.ours->send(piece);
    CHECK(piece.empty());
  }
  REQUIRE(c.ours->unsent() > 0);
  int ended = 0;
  std::function<void()> go_on = [&] {
    if (c.ours->unsent() == 0) return void(++ended);
    c.ours->wait_output(go_on);
  };
  go_on();
  std::string heard;
  while (heard.size() < sent.size()) {
    if (auto part = c.theirs.take(std::min<std::size_t>(sent.size() - heard.size(), 10000))) heard += *part;
    c.context.poll();
  }
  c.context.poll();
  CHECK(heard == sent);
  CHECK(ended == 1);
}

TEST_CASE("a wait for input hands over what came; closing ends it") {
  couple c;
  std::string heard;
  error_code end;
  c.ours->wait_input([&](error_code, std::string_view bytes) { heard = bytes; });
  CHECK_FALSE(c.ours->wait_input([](error_code, std::string_view) {}));
  c.theirs.send("hello");
  c.context.run_one();
  CHECK(heard == "hello");
  c.ours->wait_input([&](error_code ec, std::string_view) { end = ec; });
  c.ours->close();
  c.context.restart();
  c.context.run();
  CHECK(end == boost::asio::error::operation_aborted);
}

TEST_CASE("reading at once tells nothing-there from the end") {
  couple c;
  std::array<char, 16> room;
  error_code ec;
  CHECK(c.ours->read_now(room, ec) == 0);
  CHECK_FALSE(ec);
  c.theirs.send("x");
  CHECK(c.ours->read_now(room, ec) == 1);
  c.theirs.close();
  CHECK(c.ours->read_now(room, ec) == 0);
  CHECK(ec == boost::asio::error::eof);
}

TEST_CASE("after a failed write the stream is broken and keeps nothing") {
  couple c;
  c.theirs.close();
  std::string bytes(100, 'x');
  c.ours->send(bytes);
  CHECK(c.ours->broken());
  CHECK(c.ours->unsent() == 0);
}

}  // namespace
}  // namespace pgtandem::net
