// Reads PostgreSQL's record_out text: "(1,foo,,\"a,\"\"b\"\"\")". An empty unquoted field is NULL.
// Source of the rule: src/backend/utils/adt/rowtypes.c, record_out. Bytes from outside: every malformed text is refused.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::session {

using field = std::optional<std::string>;

// false if `text` is not a record literal; `out` is then unspecified.
bool parse_record(std::string_view text, std::vector<field>& out);

}  // namespace pgtandem::session
