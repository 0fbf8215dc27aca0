// A portal that PostgreSQL runs once and no more: a write without RETURNING. Made by its first Execute, forgotten with
// the next Bind or Close.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>

namespace pgtandem::session {

struct portal_run {
  std::string portal;
  bool done = false;  // the primary has said CommandComplete
};
using portal_run_ptr = std::shared_ptr<portal_run>;
using portal_runs = std::unordered_map<std::string, portal_run_ptr>;

}  // namespace pgtandem::session
