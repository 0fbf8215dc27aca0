// A session between a scripted client, a fake primary and an applier that answers as told. Bytes may be cut into pieces of any size.
#pragma once
#include <string>
#include <vector>

#include "proxy/session/session.hpp"
#include "tests/unit/session/fake_primary.hpp"

namespace pgtandem::test {

// A world with tables public.t (id, v), public.par (id, v) and public.chd (id, pid → par, cascade), writes mirrored in epoch 7.
session::world_ptr mirrored_world();
session::world_ptr world_in(control::phase p, std::int32_t epoch = 7);

// A row of what a session takes along, as its server tells it.
std::vector<std::string> carried(std::string what, std::string_view name, std::string_view value);

class stage {
 public:
  explicit stage(session::world_ptr w = mirrored_world(), std::size_t piece = 0);

  // What the primary will tell besides its encoding, when it is asked what the session has.
  void carries(std::vector<std::vector<std::string>> rows);

  fake_primary primary;
  std::vector<session::op_ptr> submitted;
  session::apply_result applies = session::apply_result::applied;
  bool answer_ops = true;        // false: the applier stays silent
  bool deadline_armed = false;

  void send(std::string_view bytes);            // as the client
  void query(std::string_view sql);
  std::string take();                           // what the client has heard, in letters: "T D C:INSERT 0 1 Z:I"
  void pump();
  session::session& session() { return session_; }
  bool closed = false;

 private:
  sql::analyzer analyzer_;
  session::session session_;
  std::string to_client_, from_primary_;
  std::size_t piece_;
};

}  // namespace pgtandem::test
