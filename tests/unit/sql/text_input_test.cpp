#include "proxy/sql/text_input.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::sql;

TEST_CASE("texts become values by input functions") {
  struct row {
    const char *type, *parameter, *element;
  };
  for (const row& r :
       {row{"integer", "$2::integer[]", "u.x"},
        {"numeric(10,2)", "$2::numeric(10,2)[]", "u.x"},
        {"timestamp(3) with time zone", "$2::timestamp(3) with time zone[]", "u.x"},
        {"regclass", "$2::regclass[]", "u.x"},
        {"\"char\"", "$2::\"char\"[]", "u.x"},
        {"box", "$2::text[]", R"((('{"' || replace(replace(u.x, E'\\', E'\\\\'), '"', E'\\"') || '"}')::box[])[1])"},
        {"integer[]", "$2::text[]", "u.x::integer[]"},
        {"public.mood[]", "$2::text[]", "u.x::public.mood[]"},
        {"public.mood", "$2::text[]",
         R"((('{"' || replace(replace(u.x, E'\\', E'\\\\'), '"', E'\\"') || '"}')::public.mood[])[1])"}}) {
    CHECK(text_input::array_parameter(r.type, 2) == r.parameter);
    CHECK(text_input::element(r.type, "u.x") == r.element);
  }
}
