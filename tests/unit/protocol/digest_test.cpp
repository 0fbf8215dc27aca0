#include "protocol/digest.hpp"

#include <catch2/catch.hpp>

#include "protocol/md5_password.hpp"

using namespace pgtandem::protocol;

TEST_CASE("base64, both ways") {
  struct row {
    std::string raw, text;
  };
  const row rows[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
  for (const row& r : rows) {
    CHECK(base64_encode(r.raw) == r.text);
    CHECK(base64_decode(r.text) == r.raw);
  }
}

TEST_CASE("what is not base64 is refused") {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "=", "Zm 9", "Zh==", "Zm9=", "Zm9v\n", "Zm9-"}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("equality in constant time is equality") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST_CASE("md5 passwords are PostgreSQL's") {
  // SELECT 'md5' || md5('secret' || 'joe'), and its hex digits with salt 1234 hashed again
  const auto secret = md5_secret("joe", "secret");
  if (!secret) return;  // a FIPS platform
  CHECK(secret == "md5" + *md5_hex("secretjoe"));
  CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_answer(*secret, "1234") == "md5" + *md5_hex(secret->substr(3) + "1234"));
  CHECK_FALSE(md5_answer("plain", "1234"));
}
