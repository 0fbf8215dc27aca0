// Lets Catch2 print a database::result: the error's text, or "a value". Include it where CHECK or REQUIRE sees one.
#pragma once
#include <catch2/catch.hpp>

#include "proxy/database/connection.hpp"

template <class T>
struct Catch::StringMaker<boost::system::result<T, pgtandem::database::error>> {
  static std::string convert(const boost::system::result<T, pgtandem::database::error>& r) {
    return r ? "a value" : "error " + r.error().sqlstate + ": " + r.error().message + " " + r.error().detail;
  }
};
