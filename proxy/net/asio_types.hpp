// The Asio types of the proxy, with one concrete executor: an any_io_executor costs a virtual call and an allocation
// per wait.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace pgtandem::net {

using executor = boost::asio::io_context::executor_type;
// TCP or a unix-domain socket: the rest of the proxy does not care which.
using stream_socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, executor>;
using timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, executor>;
template <class T>
using task = boost::asio::awaitable<T, executor>;
inline constexpr boost::asio::use_awaitable_t<executor> use_task{};
using error_code = boost::system::error_code;

}  // namespace pgtandem::net
