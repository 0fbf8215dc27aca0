// The server's side of SCRAM-SHA-256 without channel binding. Two steps, each at most once and in this order.
//
//   scram_server s(verifier, nonce);
//   s.first(client_first)  -> reply for AuthenticationSASLContinue
//   s.last(client_final)   -> reply for AuthenticationSASLFinal; then s.keys() can log in elsewhere as this user
//
// A step that fails says with which SQLSTATE and words, which are PostgreSQL's (src/backend/libpq/auth-scram.c).
#pragma once
#include <string>
#include <string_view>

#include "protocol/scram_secret.hpp"

namespace pgtandem::protocol {

struct scram_reply {
  std::string text;           // to the peer, if ok()
  std::string_view sqlstate;  // of a failure: 08P01, 0A000; 28P01: the proof is wrong
  std::string_view message, detail;

  bool ok() const { return sqlstate.empty(); }
};

class scram_server {
 public:
  // `nonce`: at least 18 random bytes, fresh for every exchange. `doomed`: go through all motions and refuse the proof,
  // whatever it is; `v` then only needs a salt and iterations.
  scram_server(scram_verifier v, std::string_view nonce, bool doomed = false);

  scram_reply first(std::string_view message);
  scram_reply last(std::string_view message);
  const scram_keys& keys() const { return keys_; }  // after a successful last()

 private:
  scram_verifier verifier_;
  bool doomed_;
  std::string gs2_header_;  // "n,," or "y,,", as the client sent it
  std::string nonce_;       // the server's part, then both
  std::string first_bare_, first_reply_;
  scram_keys keys_;
};

}  // namespace pgtandem::protocol
