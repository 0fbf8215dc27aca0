// OPERATIONS.md shows the settings as the table has them: a missing or stale row is printed, to be pasted.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "config/reference.hpp"

TEST_CASE("every row of the settings table is in the run-book, word for word") {
  std::ifstream file(PGTANDEM_ROOT "/OPERATIONS.md");
  std::stringstream book;
  book << file.rdbuf();
  REQUIRE(file.good());
  std::istringstream rows(pgtandem::config::reference_table());
  for (std::string row; std::getline(rows, row);) {
    INFO(row);
    CHECK(book.str().find(row + "\n") != std::string::npos);
  }
}
