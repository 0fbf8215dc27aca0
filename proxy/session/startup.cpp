#include "proxy/session/startup.hpp"

#include <algorithm>
#include <cctype>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/message.hpp"
#include "protocol/reader.hpp"

namespace pgtandem::session {
namespace {

constexpr std::string_view violation = "08P01";

// What PostgreSQL reads as "off" for a boolean (src/backend/utils/adt/bool.c): unique prefixes of these, any case.
bool is_off(std::string_view value) {
  struct word {
    std::string_view text;
    std::size_t least;  // letters that make it unambiguous
  };
  constexpr word words[] = {{"false", 1}, {"no", 1}, {"off", 2}, {"0", 1}};
  std::string lower(value);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(std::begin(words), std::end(words),
                     [&](const word& w) { return lower.size() >= w.least && w.text.starts_with(lower); });
}

std::string version_text(std::uint32_t version) {
  return std::to_string(version >> 16) + '.' + std::to_string(version & 0xffff);
}

}  // namespace

startup::startup(startup_rules rules) : rules_(std::move(rules)) {}

startup_outbox startup::take() {
  const bool waits_for_client = stage_ == stage::packet || stage_ == stage::sasl_first || stage_ == stage::sasl_last;
  out_.reads_client = waits_for_client;
  return std::exchange(out_, {});
}

void startup::client_data(std::string_view bytes) {
  if (stage_ == stage::closed) return;
  if (bytes.size() + buffer_.size() > early_bytes_max && stage_ != stage::open) {
    refuse(violation, "too much data before the end of the startup");
    return;
  }
  buffer_.append(bytes);
  while (step()) {
  }
}

bool startup::step() {
  switch (stage_) {
    case stage::packet:
      return read_packet();
    case stage::sasl_first:
    case stage::sasl_last:
      return read_sasl();
    default:
      return false;
  }
}

bool startup::read_packet() {
  const protocol::startup_frame f = protocol::scan_startup(buffer_);
  if (f.state == protocol::startup_state::need_more) return false;
  if (f.state == protocol::startup_state::malformed) {
    refuse(violation, "invalid length of startup packet");
    return false;
  }
  const protocol::startup_kind kind = protocol::kind_of(f.code);
  // A second request of a kind is no request any more, but a version that nobody speaks: as PostgreSQL has it.
  bool* const refused = kind == protocol::startup_kind::ssl      ? &ssl_refused_
                        : kind == protocol::startup_kind::gssenc ? &gssenc_refused_
                                                                 : nullptr;
  if (refused && !*refused) {
    *refused = true;
    out_.to_client += 'N';
  } else if (kind == protocol::startup_kind::cancel) {
    out_.cancel = protocol::decode_cancel(f.body);  // a malformed one is dropped like a wrong one: nothing is answered
    out_.close_client = true;
    stage_ = stage::closed;
  } else {
    version_packet(f);
  }
  buffer_.erase(0, stage_ == stage::closed ? buffer_.size() : f.size);
  return stage_ == stage::packet;
}

void startup::version_packet(const protocol::startup_frame& f) {
  if (f.code >> 16 != protocol::protocol_3_0 >> 16) {
    refuse("0A000", "unsupported frontend protocol " + version_text(f.code) + ": server supports 3.0 to 3.0");
    return;
  }
  const std::optional<protocol::startup_parameters> parameters = protocol::decode_startup_parameters(f.body);
  if (!parameters) {
    refuse(violation, "invalid startup packet layout: expected terminator as last byte");
    return;
  }
  std::vector<std::string_view> unknown;
  take_parameters(*parameters, unknown);
  if (f.code != protocol::protocol_3_0 || !unknown.empty())
    protocol::write_negotiate_protocol_version(out_.to_client, protocol::protocol_3_0, unknown);
  if (who_.user.empty()) {
    refuse("28000", "no PostgreSQL user name specified in startup packet");
  } else if (replication_) {
    refuse("0A000", "replication connections are not supported by pgtandem");
  } else {
    if (who_.database.empty()) who_.database = who_.user;
    out_.lookup = true;
    stage_ = stage::secret;
  }
}

void startup::take_parameters(const protocol::startup_parameters& parameters, std::vector<std::string_view>& unknown) {
  for (const auto& [name, value] : parameters) {
    if (name == "user")
      who_.user = value.substr(0, name_max);
    else if (name == "database")
      who_.database = value.substr(0, name_max);
    else if (name == "replication")
      replication_ = !is_off(value);
    else if (name.starts_with("_pq_."))
      unknown.push_back(name);
    else
      who_.parameters.emplace_back(name, value);
  }
}

void startup::secret_found(std::string_view secret) {
  if (stage_ != stage::secret) return;
  const protocol::secret_kind kind = protocol::kind_of_secret(secret);
  if (kind == protocol::secret_kind::password && !secret.empty()) who_.credential.password = std::string(secret);
  if (kind == protocol::secret_kind::md5) who_.credential.md5 = std::string(secret);
  if (rules_.method == auth_method::trust) {
    proven();
  } else if (kind == protocol::secret_kind::scram) {
    ask_for_proof(*protocol::parse_scram_verifier(secret), false);
  } else if (who_.credential.password) {
    const std::string salt = protocol::scram_salt(who_.user, rules_.salt_key);
    ask_for_proof(protocol::verifier_of(protocol::derive_scram_keys(secret, salt, protocol::scram_iterations)), false);
  } else {
    secret_unknown();  // an md5 secret or an empty password cannot be proven by SCRAM
  }
}

void startup::secret_unknown() {
  if (stage_ != stage::secret) return;
  if (rules_.method == auth_method::trust) {
    proven();
    return;
  }
  protocol::scram_verifier mock;
  mock.salt = protocol::scram_salt(who_.user, rules_.salt_key);
  ask_for_proof(std::move(mock), true);
}

void startup::ask_for_proof(protocol::scram_verifier v, bool doomed) {
  constexpr std::string_view mechanisms[] = {protocol::scram_mechanism};
  scram_.emplace(std::move(v), rules_.nonce, doomed);
  protocol::write_authentication_sasl(out_.to_client, mechanisms);
  stage_ = stage::sasl_first;
  while (step()) {
  }
}

bool startup::read_sasl() {
  const protocol::frame f = protocol::scan(buffer_);
  if (f.state == protocol::frame_state::need_header && f.type == 0) return false;
  if (f.type != protocol::frontend::password) {
    refuse(violation, "expected SASL response, got message type " + std::to_string(static_cast<unsigned char>(f.type)));
    return false;
  }
  if (f.state == protocol::frame_state::need_header) return false;
  if (f.state == protocol::frame_state::malformed || f.size > protocol::scram_message_max + protocol::header_size) {
    refuse(violation, "invalid message length");
    return false;
  }
  if (!f.complete()) return false;
  sasl_message(f.body);
  buffer_.erase(0, std::min(f.size, buffer_.size()));
  return stage_ == stage::sasl_last;
}

void startup::sasl_message(std::string_view body) {
  const bool first = stage_ == stage::sasl_first;
  protocol::reader r(body);
  if (first) {
    const std::string_view mechanism = r.c_string();
    const std::uint32_t length = r.u32();
    if (r.ok() && mechanism != protocol::scram_mechanism)
      return refuse(violation, "client selected an invalid SASL authentication mechanism");
    if (!r.ok() || length != r.left()) return refuse(violation, "malformed SASL initial response");
  }
  const protocol::scram_reply reply = first ? scram_->first(r.rest()) : scram_->last(r.rest());
  if (reply.sqlstate == "28P01") return wrong_password();
  if (!reply.ok()) return refuse(reply.sqlstate, reply.message, reply.detail);
  if (first) {
    protocol::write_authentication_sasl_continue(out_.to_client, reply.text);
    stage_ = stage::sasl_last;
  } else {
    protocol::write_authentication_sasl_final(out_.to_client, reply.text);
    who_.credential.scram = scram_->keys();
    proven();
  }
}

// As PostgreSQL: only who has proven the user learns which databases exist.
void startup::proven() {
  if (who_.database != rules_.database) {
    refuse("3D000", "database \"" + who_.database + "\" does not exist");
    return;
  }
  stage_ = stage::login;
  out_.log_in = true;
}

void startup::wrong_password() { refuse("28P01", "password authentication failed for user \"" + who_.user + '"'); }

void startup::complete(const server_hello& server, std::uint32_t pid, std::uint32_t secret, std::string_view notices) {
  if (stage_ != stage::login) return;
  protocol::write_authentication_ok(out_.to_client);
  out_.to_client += notices;
  for (const auto& [name, value] : server.parameters) protocol::write_parameter_status(out_.to_client, name, value);
  protocol::write_backend_key(out_.to_client, pid, secret);
  protocol::write_ready_for_query(out_.to_client, protocol::transaction_idle);
  stage_ = stage::open;
}

void startup::refuse(std::string_view sqlstate, std::string_view message, std::string_view detail) {
  std::string text;
  protocol::write_error(text, {"FATAL", sqlstate, message, detail});
  refuse_with(text);
}

void startup::refuse_with(std::string_view error_response) {
  if (stage_ == stage::closed || stage_ == stage::open) return;
  out_.to_client += error_response;
  out_.refused = protocol::sqlstate_of(error_response);
  out_.close_client = true;
  out_.lookup = out_.log_in = false;
  buffer_.clear();
  stage_ = stage::closed;
}

}  // namespace pgtandem::session
