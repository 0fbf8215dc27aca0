// Places inside the texts of PREPARE and EXECUTE that the raw tree does not tell. Each function takes the text of one statement, as
// analysis::ranges cuts it, and answers nothing where the spelling is not plain (U&"…", names that PostgreSQL has shortened).
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace pgtandem::sql {

// Where the name of `EXECUTE name …` ends, before the closing quote of a quoted one. `name` is what the grammar has read.
std::optional<std::size_t> execute_name_end(std::string_view text, std::string_view name);

// Where the statement begins that `PREPARE name (types) AS statement` prepares.
std::optional<std::size_t> prepared_begin(std::string_view text);

}  // namespace pgtandem::sql
