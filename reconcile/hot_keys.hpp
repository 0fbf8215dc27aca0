// Memory of keys that did not come through: how often a key changed under a repair (the third time it is read under a
// short row lock), how long a key that fails is left alone, and whether it is tried alone or in company. Bounded;
// forgetting an entry costs a retry, nothing else.
#pragma once
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

class hot_keys {
 public:
  using clock = std::chrono::steady_clock;

  bool locked_next(const std::string& relation, const cells& key) const;
  // A failed key is left alone for 50 ms, doubled with each further failure, at most 5 s.
  bool resting(const std::string& relation, const cells& key, clock::time_point now) const;
  bool failed_before(const std::string& relation, const cells& key) const;

  // Rows that reference each other come through together only: a key that failed by itself is tried in company, with
  // all the others of its table that did, its first few times and now and then afterwards.
  bool company_next(const std::string& relation, const cells& key) const;

  void changed(const std::string& relation, const cells& key);
  // The number of failures in a row, this one included. A trouble of the moment (a lock, a full disk) says nothing about
  // the key: it rests all the same, but failed_before() does not know of it.
  enum class fault { of_the_key, of_the_moment };
  int failed(const std::string& relation, const cells& key, fault what, clock::time_point now);
  void came_through(const std::string& relation, const cells& key);

 private:
  struct entry {
    int changes = 0, failures = 0, troubles = 0;
    clock::time_point rest_until{};
  };
  entry& at(const std::string& relation, const cells& key);
  const entry* find(const std::string& relation, const cells& key) const;
  std::map<std::pair<std::string, cells>, entry> entries_;
};

}  // namespace pgtandem::reconcile
