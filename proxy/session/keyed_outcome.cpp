#include "proxy/session/keyed_outcome.hpp"

#include "protocol/digest.hpp"
#include "protocol/message.hpp"
#include "protocol/writer.hpp"

namespace pgtandem::session {
namespace {

constexpr char mark_type = 'k';

bool ends_part(char type) {
  namespace backend = protocol::backend;
  return type == backend::command_complete || type == backend::empty_query_response ||
         type == backend::portal_suspended;
}

}  // namespace

std::string part_mark(std::string_view statement) {
  std::string mark;
  protocol::message_writer(mark, mark_type).bytes(protocol::view(protocol::sha256(statement)));
  return mark;
}

outcome_part take_part(std::string_view outcome, std::size_t& at, std::string_view statement, std::string& said) {
  if (at >= outcome.size()) return outcome_part::none_left;
  const bool first = at == 0;
  while (at < outcome.size()) {
    const protocol::frame f = protocol::scan(outcome.substr(at));
    if (!f.complete()) return outcome_part::none_left;  // not written by us
    at += f.size;
    if (f.type == mark_type) {
      if (first || f.whole != part_mark(statement)) return outcome_part::another_statement;
      continue;
    }
    said += f.whole;
    if (ends_part(f.type)) break;
  }
  return outcome_part::found;
}

}  // namespace pgtandem::session
