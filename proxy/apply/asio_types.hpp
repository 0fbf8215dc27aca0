// Asio with the executor's type written out: what this folder waits with.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace pgtandem::apply {

namespace asio = boost::asio;

using executor = asio::io_context::executor_type;
using clock = std::chrono::steady_clock;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;
using descriptor = asio::posix::basic_stream_descriptor<executor>;
template <class T = void>
using task = asio::awaitable<T, executor>;

// co_await x.async_…(as_error): the error code as a value.
inline constexpr auto as_error = asio::as_tuple(asio::use_awaitable_t<executor>());

}  // namespace pgtandem::apply
