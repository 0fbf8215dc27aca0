#include "proxy/database/conninfo.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/support/results.hpp"

using namespace pgtandem;

namespace {

// A file that only its owner may read, gone at the end; and an environment variable that names it.
struct private_file {
  private_file(const char* variable, const std::string& text) : variable_(variable) {
    char name[] = "/tmp/pgtandem_conninfo_XXXXXX";
    ::close(::mkstemp(name));
    path_ = name;
    std::ofstream(path_) << text;
    ::setenv(variable, name, 1);
  }
  ~private_file() {
    ::unsetenv(variable_);
    ::unlink(path_.c_str());
  }
  const char* variable_;
  std::string path_;
};

std::string text_of(const database::result<database::server_address>& a) {
  if (!a) return "ERROR " + a.error().message;
  std::string text = a->user + "@" + a->database;
  for (const auto& e : a->endpoints)
    text += " " + (e.unix_socket ? e.unix_path() : e.host + "[" + e.address + "]:" + std::to_string(e.port)) +
            (e.password.empty() ? "" : " password " + e.password);
  return text;
}

}  // namespace

TEST_CASE("a connection string comes to what libpq makes of it") {
  private_file passwords("PGPASSFILE", "a:5432:*:*:of a\nb:*:db:u:of b\n*:7777:*:*:of 7777\nlocalhost:9:*:*:local\n");
  private_file services("PGSERVICEFILE", "[shop]\nhost=shop.example\nport=7777\nuser=keeper\ndbname=wares\n");
  ::setenv("PGUSER", "envuser", 1);
  struct row {
    const char *conninfo, *text;
  };
  const row table[] = {
      {"host=h user=u dbname=db", "u@db h[]:5432"},
      {"host=h user=u dbname=db password=secret", "u@db h[]:5432 password secret"},
      {"host=h", "envuser@envuser h[]:5432"},
      {"host=a,b,c port=5432,6 user=u dbname=db", "ERROR could not match 2 port numbers to 3 hosts"},
      {"host=a,b,c user=u dbname=db", "u@db a[]:5432 password of a b[]:5432 password of b c[]:5432"},
      {"host=a,b port=1,2 user=u dbname=db", "u@db a[]:1 b[]:2 password of b"},
      {"postgresql://u:p%20w@h:99/db?sslmode=require", "u@db h[]:99 password p w"},
      {"postgresql://u@[::1]:99,h2/db", "u@db ::1[]:99 h2[]:5432"},
      {"host=h hostaddr=10.0.0.1 user=u dbname=db", "u@db h[10.0.0.1]:5432"},
      {"hostaddr=10.0.0.1 user=u dbname=db", "u@db [10.0.0.1]:5432"},
      {"host=/tmp/x port=9 user=u dbname=db", "u@db /tmp/x/.s.PGSQL.9"},
      {"service=shop", "keeper@wares shop.example[]:7777 password of 7777"},
      {"service=shop user=other", "other@wares shop.example[]:7777 password of 7777"},
      {"service=nothing", "ERROR definition of service \"nothing\" not found"},
      {"host=h sslmode=sometimes", "ERROR invalid sslmode value: \"sometimes\""},
      {"hosst=h", "ERROR invalid connection option \"hosst\""},
      {"host=h port=x", "ERROR invalid port number: \"x\""},
      {"host=h password", "ERROR missing \"=\" after \"password\" in connection info string"},
  };
  for (const row& r : table) {
    INFO(r.conninfo);
    CHECK(text_of(database::resolve(r.conninfo)) == r.text);
  }
  ::unsetenv("PGUSER");
}

TEST_CASE("what else a socket needs to know") {
  auto a = database::resolve(
      "host=h user=u sslmode=disable connect_timeout=7 keepalives_idle=11 keepalives_interval=12 keepalives_count=13 "
      "tcp_user_timeout=1500 options='-c geqo=off' application_name=app");
  REQUIRE(a);
  CHECK(a->sslmode == "disable");
  CHECK(a->connect_timeout_seconds == 7);
  CHECK(a->keepalives);
  CHECK(a->keepalives_idle == 11);
  CHECK(a->keepalives_interval == 12);
  CHECK(a->keepalives_count == 13);
  CHECK(a->tcp_user_timeout_ms == 1500);
  CHECK(a->options == "-c geqo=off");
  CHECK(a->application_name == "app");
  auto none = database::resolve("");
  REQUIRE(none);
  REQUIRE(none->endpoints.size() == 1);
  CHECK(none->endpoints[0].unix_socket);
}

TEST_CASE("a redacted string holds no password") {
  CHECK(database::redacted("host=h password=secret dbname=db") == "password=*** dbname=db host=h");
  CHECK(database::redacted("postgresql://u:secret@h/db") == "user=u password=*** dbname=db host=h");
  CHECK(database::redacted("password=secret nonsense") == "");
}
