// A client's way in: startup conversation, its secret, the login to the primary; then a relay takes over.
#pragma once
#include <string>

#include "proxy/net/admission.hpp"
#include "proxy/net/asio_types.hpp"

namespace pgtandem::net {

class loop;

// Owns `fd`. Ends within listen.login_seconds plus the bounds of the login to the server, whatever the peers do.
task<void> receive_client(loop& home, int fd, std::string peer, admission::place place);

}  // namespace pgtandem::net
