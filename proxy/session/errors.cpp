#include "proxy/session/errors.hpp"

#include <array>
#include <boost/assert.hpp>

#include "protocol/error_response.hpp"

namespace pgtandem::session {
namespace {

constexpr std::array<failure_row, 19> table{{
    {failure::refused_construct, "0A000", "ERROR", "pgtandem cannot mirror % while writes go to both databases",
     "Run it before dual_write or after complete, rewrite it as INSERT, UPDATE or DELETE, or vouch for its functions in dual_write.allowed_functions."},
    {failure::stale_epoch, "40001", "ERROR", "the routing of writes changed while this transaction was open",
     "Nothing of it has taken effect; retry the transaction."},
    {failure::schema_changed, "40001", "ERROR", "the definition of table % changed while this statement was under way",
     "Nothing of it has taken effect; retry the transaction."},
    {failure::unknown_table, "40001", "ERROR", "pgtandem does not know table % yet", "Its catalog is being read again; retry the transaction."},
    {failure::secondary_required, "58000", "ERROR", "the secondary database did not accept the write: %",
     "Policy strict is set; nothing has taken effect on the primary. Retry the transaction."},
    {failure::shut_down, "57P01", "FATAL", "terminating connection: the proxy is shutting down", ""},
    {failure::cancelled, "57014", "ERROR", "canceling statement due to user request", ""},
    {failure::cannot_move, "57P01", "FATAL", "terminating connection: the database has moved, and this session holds % which cannot move", "Reconnect."},
    {failure::primary_lost, "08006", "FATAL", "the connection to the database was lost: %", "Reconnect; the open transaction was rolled back."},
    {failure::outcome_unknown, "08007", "FATAL", "the connection to the database was lost while a transaction was being committed: %",
     "Reconnect and check whether it has taken effect, or use idempotency keys."},
    {failure::login_failed, "08001", "FATAL", "could not connect to the database: %", ""},
    {failure::protocol_violation, "08P01", "FATAL", "protocol violation: %", ""},
    {failure::too_large, "54000", "ERROR", "% is larger than pgtandem can mirror", "Split it into smaller statements or raise dual_write.statement_max_bytes."},
    {failure::key_reused, "22023", "ERROR", "idempotency key was used before with another statement", "Use a new key for every distinct write."},
    {failure::key_committed, "23505", "ERROR", "a transaction with this idempotency key has already committed", "It has taken effect once; do not retry it."},
    {failure::key_misplaced, "0A000", "ERROR", "an idempotency key covers one transaction and no change of the session, and this string of statements is more",
     "Nothing of the transaction has taken effect; send the writes in a string of their own, or as BEGIN, writes and COMMIT."},
    {failure::key_second, "0A000", "ERROR", "this transaction has another idempotency key already",
     "Nothing of the transaction has taken effect; give its writes one key, or each a transaction of its own."},
    {failure::outcome_not_kept, "0A000", "ERROR", "this write has already committed, and its outcome was too large to be kept",
     "It has taken effect once; do not retry it."},
    {failure::image_broken, "XX000", "ERROR", "the row image of table % could not be read", "Nothing of the transaction has taken effect."},
}};

}  // namespace

std::span<const failure_row> failures() { return table; }

const failure_row& row_of(failure f) {
  const failure_row& r = table[static_cast<std::size_t>(f)];
  BOOST_ASSERT(r.id == f);
  return r;
}

std::string error_message(failure f, std::string_view what) {
  const failure_row& r = row_of(f);
  std::string sentence;
  for (char c : r.message)
    if (c == '%') sentence += what;
    else sentence += c;
  std::string out;
  protocol::write_error(out, {r.severity, r.sqlstate, sentence, {}, r.hint});
  return out;
}

}  // namespace pgtandem::session
