// What keeps the session from moving. Its statements give a suspicion; before a move its server is asked, which also
// knows what functions and triggers have done.
#pragma once
#include <string>

#include "proxy/session/luggage.hpp"

namespace pgtandem::session {

struct belongings {
  bool temporary = false, holds = false;  // suspected since the last answer
  bool unkept_text = false;               // a Parse too large to be kept: cannot be prepared again
  std::string found;                      // the last answer
  bool asking = false;
  bool fresh = false;  // the client has said nothing since the last answer
  bool told = false;   // there was an answer since the present warming began
  int failures = 0;    // in a row
  luggage taken;       // what can be made again
  bool packed = false; // it is there, and the client has said nothing since
  int unpacked = 0;    // failures in a row
};

}  // namespace pgtandem::session
