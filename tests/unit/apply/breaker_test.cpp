#include "proxy/apply/breaker.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem;
using session::apply_result;

TEST_CASE("the breaker opens after a run of failures and closes after a run of probes") {
  struct row {
    const char* events;  // f failure, s success, P probe succeeded, p probe failed, r another secondary
    const char* open;    // after each: O open, . closed
  };
  const row table[] = {
      {"ff", ".."},
      {"fff", "..O"},
      {"ffsff", "....."},
      {"fffs", "..OO"},
      {"fffPP", "..OO."},
      {"fffPpP", "..OOOO"},
      {"fffPpPP", "..OOOO."},
      {"fffPPf", "..OO.O"},  // on trial
      {"fffPPfPPf", "..OO.OO.O"},
      {"fffPPsff", "..OO...."},
      {"fffPPsfff", "..OO....O"},
      {"fffr", "..O."},
      {"fffPPrff", "..OO...."},  // another secondary is not on trial
      {"PPf", "..."},
      {"fffffPP", "..OOOO."},
      {"fffPrfffP", "..OO...OO"},
  };
  for (const row& r : table) {
    INFO(r.events);
    apply::breaker b(3, 2);
    std::string open;
    for (const char* e = r.events; *e; ++e) {
      switch (*e) {
        case 'f':
          b.failed();
          break;
        case 's':
          b.succeeded();
          break;
        case 'P':
          b.probe_succeeded();
          break;
        case 'p':
          b.probe_failed();
          break;
        default:
          b.reset();
      }
      open += b.open() ? 'O' : '.';
    }
    CHECK(open == r.open);
  }
}

TEST_CASE("what speaks against the secondary") {
  struct row {
    apply_result result;
    const char* sqlstate;
    bool counts;
  };
  const row table[] = {
      {apply_result::applied, "", false},       {apply_result::lost, "08006", true},
      {apply_result::timed_out, "57014", true}, {apply_result::refused, "23503", false},
      {apply_result::refused, "23505", false},  {apply_result::refused, "23514", false},
      {apply_result::refused, "22P02", false},  {apply_result::refused, "55P03", true},
      {apply_result::refused, "25006", true},   {apply_result::refused, "53100", true},
      {apply_result::refused, "42P01", true},   {apply_result::refused, "57014", true},
      {apply_result::breaker_open, "", false},  {apply_result::queue_full, "", false},
  };
  for (const row& r : table) {
    INFO(r.sqlstate);
    CHECK(apply::counts_as_failure(r.result, r.sqlstate) == r.counts);
  }
}
