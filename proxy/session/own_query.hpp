// The texts of what the proxy asks the primary on a session's own connection, every name qualified: the session's search_path is
// the client's.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace pgtandem::session {

// Answers: xid, boot token or null, false, null. Fails with 42P01 once the epoch has been fenced off, and with 22P02 in a session whose
// foreign keys and triggers do not act (session_replication_role): the secondary's do.
std::string fence_query(std::int32_t epoch);
inline constexpr std::string_view undefined_table = "42P01", invalid_text = "22P02";

// $1 op_id, $2 epoch, $3 keys, $4 reason
inline constexpr std::string_view mark_dirty_query =
    "SELECT pgtandem.mark_dirty($1::pg_catalog.uuid, $2::pg_catalog.int4, $3::pg_catalog.jsonb, $4::pg_catalog.text)";
inline constexpr std::string_view check_constraints_query = "SET CONSTRAINTS ALL IMMEDIATE";
// A statement that always fails, and only in a transaction that has not failed yet otherwise than with 25P02.
inline constexpr std::string_view failing_query = "SELECT pgtandem.refused()";
inline constexpr std::string_view in_failed_transaction = "25P02";
inline constexpr std::string_view already_in_transaction = "25001";   // the warning to a BEGIN inside a block
// Names of the proxy's own, on the primary, such as nobody gives. What they stand for is replaced with every question.
inline constexpr std::string_view own_portal = "pgtandem's portal", own_statement = "pgtandem's question";
inline constexpr std::string_view no_such_name = "pgtandem's refusal";   // neither a portal nor a statement

// $1 key or null (then the session's pgtandem.idempotency_key), $2 what identifies the statement, as bytea. No row: there is no key.
// Else (claimed, same statement, outcome in hex or null).
inline constexpr std::string_view claim_key_query =
    "SELECT c.claimed, c.same, pg_catalog.encode(c.outcome, 'hex'), k.key FROM (SELECT coalesce($1::pg_catalog.text, "
    "nullif(pg_catalog.current_setting('pgtandem.idempotency_key', true), '')) AS key) AS k, LATERAL pgtandem.claim_key(k.key, "
    "pg_catalog.encode(pg_catalog.sha256($2::pg_catalog.bytea), 'hex')) AS c";
// $1 key, $2 outcome as bytea or null. The row's image, in hex.
inline constexpr std::string_view record_outcome_query =
    "SELECT pg_catalog.encode(pg_catalog.convert_to(pgtandem.record_outcome($1::pg_catalog.text, $2::pg_catalog.bytea), 'UTF8'), 'hex')";
// PostgreSQL's hex form of a bytea.
std::string bytea_literal(std::string_view bytes);
bool from_hex(std::string_view hex, std::string& out);

// Rows (name): what this session holds that cannot be made again on another server.
std::string_view belongings_query();

}  // namespace pgtandem::session
