// Which tables a backfill copies, and in which order they may begin: a table after all tables that its foreign keys
// reference, so that a copied child always finds its parent (or the parent is in doubt). Pure. Used under the owner's
// mutex.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::reconcile {

// Tables the reconciler keeps equal: in scope, with rows of their own.
std::vector<const sql::table*> followed_tables(const sql::catalog& c);

class backfill_order {
 public:
  explicit backfill_order(const sql::catalog& c);
  // The next table that may begin; nullptr if all are done or must wait for others.
  const sql::table* take();
  void done(const sql::table& t);
  void give_back(const sql::table& t);  // not finished: somebody takes it again
  bool all_done() const;

 private:
  enum class state { waiting, taken, done };
  bool may_begin(const sql::table& t) const;
  std::vector<const sql::table*> tables_;
  std::map<sql::oid, state> states_;
};

}  // namespace pgtandem::reconcile
