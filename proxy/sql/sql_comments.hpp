// The client's idempotency key, written in a comment: /* idempotency_key='order-4711' */.
//
// Only real comments count: not text inside '…', E'…', "…" or $tag$…$tag$. Several entries may share a comment as
// sqlcommenter writes them, key='value' separated by commas, values URL-encoded. The first key of the text wins.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::sql {

// `standard_strings` is the session's standard_conforming_strings: off, a backslash in '…' escapes as in E'…'.
std::optional<std::string> find_idempotency_key(std::string_view sql, bool standard_strings = true);

}  // namespace pgtandem::sql
