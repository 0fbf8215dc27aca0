#include <catch2/catch.hpp>
#include <string>

#include "protocol/credential.hpp"
#include "protocol/scram_client.hpp"
#include "protocol/scram_server.hpp"

using namespace pgtandem::protocol;

namespace {

scram_verifier pencil() { return verifier_of(derive_scram_keys("pencil", "0123456789abcdef", scram_iterations)); }

scram_reply talk(scram_server& server, scram_client& client) {
  const scram_reply challenge = server.first(client.first());
  REQUIRE(challenge.ok());
  std::string proof;
  REQUIRE(client.answer(challenge.text, proof) == scram_failure::none);
  return server.last(proof);
}

}  // namespace

TEST_CASE("keys are those of RFC 7677's example") {
  // user "user", password "pencil", salt and messages from section 3 of the RFC
  const std::string salt = base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  const scram_keys keys = derive_scram_keys("pencil", salt, 4096);
  const std::string signed_text =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  CHECK(base64_encode(view(hmac_sha256(view(keys.server_key), signed_text))) ==
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  sha256_value proof = hmac_sha256(view(verifier_of(keys).stored_key), signed_text);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= keys.client_key[i];
  CHECK(base64_encode(view(proof)) == "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
}

TEST_CASE("the right password is proven, both ways") {
  scram_server server(pencil(), "server nonce bytes");
  scram_client client("pencil", "client nonce bytes");
  const scram_reply end = talk(server, client);
  REQUIRE(end.ok());
  CHECK(client.verify(end.text) == scram_failure::none);

  SECTION("and the keys learnt from it log in elsewhere") {
    scram_server other(pencil(), "another server nonce");
    scram_client heir(server.keys(), "another client nonce");
    const scram_reply second = talk(other, heir);
    REQUIRE(second.ok());
    CHECK(heir.verify(second.text) == scram_failure::none);
  }
  SECTION("but only where the verifier is the same") {
    scram_server other(verifier_of(derive_scram_keys("pencil", "another salt", scram_iterations)), "n");
    scram_client heir(server.keys(), "c");
    std::string proof;
    CHECK(heir.answer(other.first(heir.first()).text, proof) == scram_failure::other_verifier);
  }
}

TEST_CASE("a wrong password, a doomed exchange and a server that does not know the verifier are refused") {
  scram_server server(pencil(), "s"), doomed(pencil(), "s", true);
  scram_client wrong("crayon", "c"), right("pencil", "c");
  CHECK(talk(server, wrong).sqlstate == "28P01");
  CHECK(talk(doomed, right).sqlstate == "28P01");

  scram_server impostor(pencil(), "s");
  scram_client client("pencil", "c");
  talk(impostor, client);
  CHECK(client.verify("v=" + base64_encode(std::string(32, 'x'))) == scram_failure::wrong_signature);
  CHECK(client.verify("e=other-error") == scram_failure::server_error);
  CHECK(client.verify("v=") == scram_failure::wrong_signature);
  CHECK(client.verify("garbage") == scram_failure::malformed);
}

TEST_CASE("what is wrong with a client-first-message is said as PostgreSQL says it") {
  struct row {
    std::string message;
    std::string sqlstate;
  };
  const row rows[] = {
      {"n,,n=,r=abc", ""},
      {"y,,n=ignored,r=abc", ""},
      {"n,,n=,r=abc,x=extension", ""},
      {"p=tls-server-end-point,,n=,r=abc", "08P01"},
      {"n,a=admin,n=,r=abc", "0A000"},
      {"n,,m=new,n=,r=abc", "0A000"},
      {"n,,r=abc", "08P01"},
      {"n,,n=,r=", "08P01"},
      {"n,,n=,r=a\x01", "08P01"},
      {"n,,n=,r=abc,", ""},
      {"n,,n=,r=abc,1", "08P01"},
      {"n,,", "08P01"},
      {"n", "08P01"},
      {"", "08P01"},
      {"n,,n=,r=" + std::string(2000, 'a'), "08P01"},
  };
  for (const row& r : rows) {
    INFO(r.message);
    scram_server server(pencil(), "nonce");
    CHECK(server.first(r.message).sqlstate == r.sqlstate);
  }
}

TEST_CASE("what is wrong with a client-final-message is said as PostgreSQL says it") {
  const std::string proof = base64_encode(std::string(32, 'x')), nonce = "abc" + base64_encode("nonce");
  struct row {
    std::string message;
    std::string sqlstate;
  };
  const row rows[] = {
      {"c=biws,r=" + nonce + ",p=" + proof, "28P01"},
      {"c=biws,r=" + nonce + ",x=y,p=" + proof, "28P01"},
      {"c=eSws,r=" + nonce + ",p=" + proof, "08P01"},
      {"c=biws,r=abcd,p=" + proof, "08P01"},
      {"c=biws,r=" + nonce, "08P01"},
      {"c=biws,r=" + nonce + ",p=" + proof + "x", "08P01"},
      {"c=biws,r=" + nonce + ",p=AAAA", "08P01"},
      {"r=" + nonce + ",p=" + proof, "08P01"},
      {"", "08P01"},
  };
  for (const row& r : rows) {
    INFO(r.message);
    scram_server server(pencil(), "nonce");
    REQUIRE(server.first("n,,n=,r=abc").ok());
    CHECK(server.last(r.message).sqlstate == r.sqlstate);
  }
  scram_server out_of_order(pencil(), "nonce");
  CHECK_FALSE(out_of_order.last("c=,r=" + base64_encode("nonce") + ",p=" + proof).ok());
}

TEST_CASE("what a server may not say first") {
  const std::string nonce = base64_encode("c") + "more";
  struct row {
    std::string message;
    scram_failure failure;
  };
  const row rows[] = {
      {"r=" + nonce + ",s=AAAA,i=4096", scram_failure::none},
      {"r=" + nonce + ",s=AAAA,i=1000001", scram_failure::too_costly},
      {"r=" + nonce + ",s=AAAA,i=0", scram_failure::malformed},
      {"r=" + nonce + ",s=AAAA,i=-1", scram_failure::malformed},
      {"r=" + nonce + ",s=AAAA,i=99999999999", scram_failure::malformed},
      {"r=" + nonce + ",s=,i=1", scram_failure::malformed},
      {"r=" + nonce + ",s=A,i=1", scram_failure::malformed},
      {"r=" + base64_encode("c") + ",s=AAAA,i=1", scram_failure::malformed},
      {"r=other,s=AAAA,i=1", scram_failure::malformed},
      {"s=AAAA,i=1", scram_failure::malformed},
      {"", scram_failure::malformed},
  };
  for (const row& r : rows) {
    INFO(r.message);
    std::string reply;
    CHECK(scram_client("pencil", "c").answer(r.message, reply) == r.failure);
  }
}

TEST_CASE("a stored verifier is read and written") {
  const std::string text = to_text(pencil());
  const auto v = parse_scram_verifier(text);
  REQUIRE(v);
  CHECK(to_text(*v) == text);
  CHECK(v->salt == "0123456789abcdef");
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(parse_scram_verifier(text.substr(0, size)));
  CHECK_FALSE(parse_scram_verifier(text + "A"));
  CHECK_FALSE(parse_scram_verifier("SCRAM-SHA-256$1000001" + text.substr(text.find(':'))));
  CHECK(kind_of_secret(text) == secret_kind::scram);
  CHECK(kind_of_secret("md5" + std::string(32, 'a')) == secret_kind::md5);
  CHECK(kind_of_secret("md5" + std::string(32, 'g')) == secret_kind::password);
  CHECK(kind_of_secret("md5") == secret_kind::password);
  CHECK(kind_of_secret("") == secret_kind::password);
}

TEST_CASE("the salt of a name stays, and differs between names and keys") {
  CHECK(scram_salt("u", "key") == scram_salt("u", "key"));
  CHECK(scram_salt("u", "key").size() == 16);
  CHECK(scram_salt("u", "key") != scram_salt("v", "key"));
  CHECK(scram_salt("u", "key") != scram_salt("u", "other"));
}
