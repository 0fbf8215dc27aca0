// Opens a connection to a place and logs in there as a client's user.
#pragma once
#include <boost/system/result.hpp>
#include <string>

#include "proxy/net/asio_types.hpp"
#include "proxy/net/place_address.hpp"
#include "proxy/net/server_link.hpp"
#include "proxy/session/startup.hpp"

namespace pgtandem::net {

struct login_refusal {
  std::string sqlstate, message;
  std::string raw;  // the server's own ErrorResponse, if it sent one
};
[[noreturn]] void throw_exception_from_error(const login_refusal& r, const boost::source_location&);
using login_result = boost::system::result<server_link, login_refusal>;

// The hosts are tried in order until one accepts the connection; what that one says counts. Bounded by the place's
// connect_timeout per host, and once more for the conversation.
task<login_result> log_in_to(boost::asio::io_context& context, const place_address& address, control::place where,
                             session::identity who);

}  // namespace pgtandem::net
