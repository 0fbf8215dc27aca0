// The secrets of clients: from the auth_file, then from the connection strings' own users, then by auth.query.
//
// The query runs through libpq on a thread of its own, on one connection to the present primary, so no loop waits for
// it. At most queue_max questions wait; beyond it, or when the primary cannot be asked, the answer is `asked = false`.
#pragma once
#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "proxy/control/phase.hpp"
#include "proxy/net/place_address.hpp"
#include "proxy/net/secret_source.hpp"

namespace pgtandem::net {

class secret_finder : public secret_source {
 public:
  static constexpr std::size_t queue_max = 256;
  using book = std::unordered_map<std::string, std::string>;  // by user

  // `query` may be empty: then there is no thread. `primary` is asked before each connection.
  secret_finder(book from_file, const std::array<place_address, 2>& places, std::string query,
                std::function<control::place()> primary);
  ~secret_finder() override;

  void ask(std::string user, std::function<void(secret_answer)> answer) override;
  void replace(book from_file);  // after a reload

 private:
  struct question {
    std::string user;
    std::function<void(secret_answer)> answer;
  };
  class asker;

  std::optional<std::string> known(const std::string& user) const;
  void run();

  const std::array<place_address, 2> places_;
  const std::string query_;
  const std::function<control::place()> primary_;
  mutable std::mutex mutex_;
  book book_;
  std::deque<question> waiting_;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace pgtandem::net
