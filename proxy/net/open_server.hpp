// Opens a socket to one server host: TCP (every address its name has, in order) or a unix-domain socket. No login yet.
#pragma once
#include <boost/system/result.hpp>
#include <chrono>
#include <string>

#include "proxy/database/conninfo.hpp"
#include "proxy/net/asio_types.hpp"

namespace pgtandem::net {

// All of it, name resolution included, ends within `limit`. The socket is non-blocking, with keepalives and a user
// timeout.
task<boost::system::result<stream_socket>> open_server(boost::asio::io_context& context, database::endpoint endpoint,
                                                       std::chrono::milliseconds limit);

}  // namespace pgtandem::net
