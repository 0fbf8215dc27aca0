// Custom settings ("app.tenant"): which ones a piece of procedural source makes, as far as their names are written out.
//
// PostgreSQL lists no setting that no module has defined, so a name has to be known before its value can be asked.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::sql {

// Can only a custom setting have this name?
bool is_custom_setting(std::string_view name);

// In small letters (their case says nothing): names in set_config('name', … and SET [SESSION | LOCAL] name = or TO, in
// any order, as often as they stand there. Too many rather than too few: strings and comments are read, too, and UPDATE
// … SET column.field looks the same.
std::vector<std::string> custom_settings_in(std::string_view source);

}  // namespace pgtandem::sql
