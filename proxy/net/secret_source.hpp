// Where the secret of a role comes from: the auth_file, the connection strings, auth.query.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace pgtandem::net {

struct secret_answer {
  bool asked = false;  // false: the question could not be asked
  std::optional<std::string>
      secret;  // as pg_authid has it ("SCRAM-SHA-256$…", "md5…") or plain; nothing = no such role
};

class secret_source {
 public:
  static constexpr std::chrono::seconds answer_limit{15};  // who asks need not wait longer

  virtual ~secret_source() = default;
  // Answered once, from any thread, possibly before ask() returns. Never waits.
  virtual void ask(std::string user, std::function<void(secret_answer)> answer) = 0;
};

}  // namespace pgtandem::net
