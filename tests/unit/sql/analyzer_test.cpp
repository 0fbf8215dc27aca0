#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "proxy/sql/analysis.hpp"

using namespace pgtandem::sql;

TEST_CASE("the same text is analyzed once") {
  analyzer cache(2);
  const analysis_ptr first = cache("SELECT 1");
  CHECK(cache("SELECT 1") == first);
  CHECK(cache.hits() == 1);
  CHECK(cache.misses() == 1);
}

TEST_CASE("the least recently used text goes first") {
  analyzer cache(2);
  const analysis_ptr one = cache("SELECT a"), two = cache("SELECT b");
  cache("SELECT a");
  cache("SELECT c");
  CHECK(cache("SELECT a") == one);
  CHECK(cache("SELECT b") != two);
}

TEST_CASE("long texts are not kept, and a cache of none keeps none") {
  analyzer small(2, 10);
  small("SELECT 1 + 1 + 1");
  small("SELECT 1 + 1 + 1");
  CHECK(small.hits() == 0);
  analyzer none(0);
  none("SELECT 1");
  none("SELECT 1");
  CHECK(none.hits() == 0);
}

TEST_CASE("threads do not meet") {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      analyzer cache(8);
      for (int i = 0; i < 500; ++i) {
        const analysis_ptr good = cache("INSERT INTO t" + std::to_string(i % 20) + " VALUES (f($1))");
        const analysis_ptr bad = cache("INSERT INTO");
        wrong[t] +=
            good->statements.size() != 1 || good->statements[0].kind != statement_kind::insert || !bad->parse_error;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}
