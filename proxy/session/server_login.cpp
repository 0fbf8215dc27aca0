#include "proxy/session/server_login.hpp"

#include <algorithm>
#include <array>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"
#include "protocol/md5_password.hpp"
#include "protocol/message.hpp"
#include "protocol/startup_packet.hpp"

namespace pgtandem::session {
namespace {

using protocol::scram_failure;

// What the client is told when the server's half of SCRAM does not hold.
struct scram_complaint {
  scram_failure failure;
  std::string_view message;
};
constexpr std::array complaints = {
    scram_complaint{scram_failure::malformed, "malformed SCRAM message from the server"},
    scram_complaint{scram_failure::too_costly, "the server asks for too many SCRAM iterations"},
    scram_complaint{scram_failure::other_verifier,
                    "the server's SCRAM verifier of this user is not the one the client was authenticated with"},
    scram_complaint{scram_failure::server_error, "the server ended the SCRAM exchange with an error"},
    scram_complaint{scram_failure::wrong_signature, "incorrect SCRAM server signature"},
};

std::string_view complaint(scram_failure failure) {
  const auto row = std::find_if(complaints.begin(), complaints.end(),
                                [&](const scram_complaint& c) { return c.failure == failure; });
  return row == complaints.end() ? std::string_view{} : row->message;
}

}  // namespace

server_login::server_login(identity who, std::string_view database, std::string_view nonce)
    : who_(std::move(who)), nonce_(nonce) {
  std::vector<std::pair<std::string, std::string>> parameters = {{"user", who_.user},
                                                                 {"database", std::string(database)}};
  parameters.insert(parameters.end(), who_.parameters.begin(), who_.parameters.end());
  protocol::write_startup(to_server_, parameters);
}

void server_login::server_data(std::string_view bytes) {
  if (state_ == login_state::failed) return;
  buffer_.append(bytes);
  std::size_t done = 0;
  while (state_ == login_state::pending) {
    const protocol::frame f = protocol::scan(std::string_view(buffer_).substr(done));
    if (f.state == protocol::frame_state::malformed || f.size > login_message_max)
      violation("a message of impossible length");
    if (!f.complete() || state_ != login_state::pending) break;
    done += f.size;
    received_ += f.size;
    if (received_ > login_total_max)
      violation("too many messages");
    else
      message(f.type, f.body, f.whole);
  }
  buffer_.erase(0, done);
}

void server_login::server_closed(std::string_view why) {
  if (state_ != login_state::pending) return;
  fail("08006", "server closed the connection while logging in: " + std::string(why));
}

void server_login::message(char type, std::string_view body, std::string_view whole) {
  switch (type) {
    case protocol::backend::error_response:
      return server_error(body, whole);
    case protocol::backend::notice_response:
      notices_ += whole;
      return;
    case protocol::backend::authentication:
      return authentication(body);
    default:
      return after_authentication(type, body);
  }
}

void server_login::after_authentication(char type, std::string_view body) {
  if (!authenticated_) return violation("a message before the end of the authentication");
  if (type == protocol::backend::parameter_status) {
    const auto p = protocol::decode_parameter_status(body);
    if (!p) return violation("a malformed ParameterStatus");
    hello_.parameters.emplace_back(p->name, p->value);
  } else if (type == protocol::backend::backend_key_data) {
    const auto key = protocol::decode_backend_key(body);
    if (!key) return violation("a malformed BackendKeyData");
    hello_.pid = key->pid;
    hello_.secret = key->secret;
  } else if (type == protocol::backend::ready_for_query && protocol::decode_ready_for_query(body)) {
    state_ = login_state::ready;
  } else {
    violation("an unexpected message");
  }
}

void server_login::authentication(std::string_view body) {
  const auto request = protocol::decode_authentication(body);
  if (!request || authenticated_) return violation("an unexpected Authentication message");
  switch (static_cast<protocol::authentication>(request->type)) {
    case protocol::authentication::ok:
      authenticated_ = step_ == sasl_step::none || step_ == sasl_step::verified;
      if (!authenticated_) violation("AuthenticationOk before the end of the SCRAM exchange");
      return;
    case protocol::authentication::cleartext_password:
      return cleartext();
    case protocol::authentication::md5_password:
      return md5(request->data);
    case protocol::authentication::sasl:
      return sasl(request->data);
    case protocol::authentication::sasl_continue:
      return sasl_continue(request->data);
    case protocol::authentication::sasl_final:
      return sasl_final(request->data);
  }
  fail("28000", "authentication method " + std::to_string(request->type) + " requested by the server is not supported",
       "Let the server authenticate the proxy by trust, md5 or scram-sha-256.");
}

void server_login::cleartext() {
  if (!who_.credential.password) return no_secret_for("password");
  protocol::write_password(to_server_, *who_.credential.password);
}

void server_login::md5(std::string_view salt) {
  if (salt.size() != 4) return violation("a malformed md5 request");
  std::optional<std::string> secret;
  if (!who_.credential.md5.empty())
    secret = who_.credential.md5;
  else if (who_.credential.password)
    secret = protocol::md5_secret(who_.user, *who_.credential.password);
  else
    return no_secret_for("md5");
  const std::optional<std::string> answer = secret ? protocol::md5_answer(*secret, salt) : std::nullopt;
  if (!answer) return fail("28000", "md5 is not available on this platform");
  protocol::write_password(to_server_, *answer);
}

void server_login::sasl(std::string_view mechanisms) {
  const auto names = protocol::decode_sasl_mechanisms(mechanisms);
  if (!names || step_ != sasl_step::none) return violation("a malformed SASL request");
  if (std::find(names->begin(), names->end(), protocol::scram_mechanism) == names->end())
    return fail("28000", "none of the server's SASL authentication mechanisms are supported");
  if (who_.credential.password)
    scram_.emplace(*who_.credential.password, nonce_);
  else if (who_.credential.scram)
    scram_.emplace(*who_.credential.scram, nonce_);
  else
    return no_secret_for("scram-sha-256");
  protocol::write_sasl_initial(to_server_, protocol::scram_mechanism, scram_->first());
  step_ = sasl_step::first_sent;
}

void server_login::sasl_continue(std::string_view data) {
  if (step_ != sasl_step::first_sent) return violation("an unexpected SASL message");
  std::string reply;
  const scram_failure failure = scram_->answer(data, reply);
  if (failure != scram_failure::none) return fail("28000", std::string(complaint(failure)));
  protocol::write_sasl_response(to_server_, reply);
  step_ = sasl_step::proof_sent;
}

void server_login::sasl_final(std::string_view data) {
  if (step_ != sasl_step::proof_sent) return violation("an unexpected SASL message");
  const scram_failure failure = scram_->verify(data);
  if (failure != scram_failure::none) return fail("28000", std::string(complaint(failure)));
  step_ = sasl_step::verified;
}

void server_login::server_error(std::string_view body, std::string_view whole) {
  const auto e = protocol::decode_error(body);
  if (!e) return violation("a malformed ErrorResponse");
  state_ = login_state::failed;
  failure_ = {std::string(e->sqlstate()), std::string(e->message()), std::string(whole)};
}

void server_login::no_secret_for(std::string_view method) {
  fail("28000",
       "the server asks user \"" + who_.user + "\" for authentication by " + std::string(method) +
           ", and the proxy knows no secret that answers it",
       "Put the user's password into auth.file, or the same SCRAM verifier that the server has.");
}

void server_login::fail(std::string_view sqlstate, std::string message, std::string_view hint) {
  state_ = login_state::failed;
  failure_ = {std::string(sqlstate), std::move(message), {}};
  protocol::write_error(failure_.raw, {"FATAL", failure_.sqlstate, failure_.message, {}, hint});
}

void server_login::violation(std::string_view what) {
  fail("08P01", "the server broke the protocol while logging in: " + std::string(what));
}

}  // namespace pgtandem::session
