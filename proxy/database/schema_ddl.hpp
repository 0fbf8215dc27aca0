// The DDL of the schema `pgtandem`, as texts. Pure.
#pragma once
#include <string_view>

namespace pgtandem::database {

extern const std::string_view schema_tables;     // tables, sequences, grants; idempotent, leaves rows alone
extern const std::string_view schema_functions;  // all functions but image(); replaces what is there
// pgtandem.image(record): the C function needs a superuser; the other costs a plpgsql call per row.
extern const std::string_view image_function_internal;
extern const std::string_view image_function_plpgsql;
extern const std::string_view event_triggers;  // needs a superuser (or a provider's substitute)

}  // namespace pgtandem::database
