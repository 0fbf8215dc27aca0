#include "proxy/database/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

namespace pgtandem::database {

namespace {

using options_ptr = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
using conn_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using values = std::map<std::string, std::string>;

constexpr std::size_t endpoints_max = 64;

// libpq resolves everything while it prepares a connection and offers no way to stop there. This value, which is no
// legal one and is judged last of all, makes it stop before it opens a socket.
constexpr const char* halt_option = "target_session_attrs";
constexpr const char* halt_value = "(resolve only)";

error mistake(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return error("08001", std::move(text));
}

std::string get(const values& v, const std::string& name) {
  const auto found = v.find(name);
  return found == v.end() ? std::string() : found->second;
}

std::uint32_t number(const values& v, const std::string& name) {
  const std::string text = get(v, name);
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);  // negative or absent stays 0, as libpq reads it
  return value;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts{""};
  for (char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

struct resolved {
  values options;
  std::string password, first_host;
};

// Resolves the string with `overrides` put over it.
result<resolved> ask_libpq(const std::string& conninfo, const values& overrides) {
  std::vector<const char*> names{"dbname"}, texts{conninfo.c_str()};
  for (const auto& [name, text] : overrides) {
    names.push_back(name.c_str());
    texts.push_back(text.c_str());
  }
  names.insert(names.end(), {halt_option, nullptr});
  texts.insert(texts.end(), {halt_value, nullptr});
  conn_ptr conn(PQconnectStartParams(names.data(), texts.data(), 1), PQfinish);
  if (!conn) return error("53200", "out of memory");
  const std::string said = PQerrorMessage(conn.get());
  if (said.find(halt_value) == std::string::npos) return mistake(said);
  options_ptr options(PQconninfo(conn.get()), PQconninfoFree);
  if (!options) return error("53200", "out of memory");
  resolved r;
  for (const PQconninfoOption* o = options.get(); o->keyword; ++o)
    if (o->val) r.options[o->keyword] = o->val;
  if (const char* password = PQpass(conn.get())) r.password = password;
  if (const char* host = PQhost(conn.get())) r.first_host = host;
  return r;
}

// The host, address and port lists, brought to one length. libpq has checked that they fit together.
result<std::vector<endpoint>> endpoints_of(const values& v, const std::string& default_host) {
  const auto hosts = split(get(v, "host")), addresses = split(get(v, "hostaddr")), ports = split(get(v, "port"));
  std::vector<endpoint> found;
  for (std::size_t i = 0; i < std::min(endpoints_max, std::max(hosts.size(), addresses.size())); ++i) {
    endpoint e;
    if (i < hosts.size()) e.host = hosts[i];
    if (i < addresses.size()) e.address = addresses[i];
    const std::string& port = ports.size() == 1 ? ports[0] : i < ports.size() ? ports[i] : ports[0];
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), e.port);
    if (!port.empty() && (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || e.port == 0))
      return error("08001", "invalid port number: \"" + port + "\"");  // libpq would say so only when it connects
    if (e.host.empty() && e.address.empty()) e.host = default_host;
    e.unix_socket = e.address.empty() && (e.host.starts_with('/') || e.host.starts_with('@'));
    found.push_back(std::move(e));
  }
  return found;
}

}  // namespace

result<server_address> resolve(const std::string& conninfo) {
  auto whole = ask_libpq(conninfo, {});
  if (!whole) return whole.error();
  const values& v = whole->options;
  server_address a;
  auto endpoints = endpoints_of(v, whole->first_host);
  if (!endpoints) return endpoints.error();
  a.endpoints = std::move(*endpoints);
  a.user = get(v, "user");
  a.database = get(v, "dbname");
  a.options = get(v, "options");
  a.sslmode = get(v, "sslmode");
  a.application_name = get(v, "application_name");
  a.connect_timeout_seconds = number(v, "connect_timeout");
  a.keepalives = get(v, "keepalives") != "0";
  a.keepalives_idle = number(v, "keepalives_idle");
  a.keepalives_interval = number(v, "keepalives_interval");
  a.keepalives_count = number(v, "keepalives_count");
  a.tcp_user_timeout_ms = number(v, "tcp_user_timeout");
  if (a.endpoints.size() == 1) {
    a.endpoints[0].password = whole->password;
    return a;
  }
  // libpq takes an empty value for none given, and the string's list would no longer fit; the password goes by `host`.
  const std::string no_address = get(v, "hostaddr").empty() ? "" : "0.0.0.0";
  for (endpoint& e : a.endpoints) {
    const std::string& address = e.address.empty() ? no_address : e.address;
    auto one = ask_libpq(conninfo, {{"host", e.host}, {"hostaddr", address}, {"port", std::to_string(e.port)}});
    if (!one) return one.error();
    e.password = one->password;
  }
  return a;
}

std::string redacted(const std::string& conninfo) {
  options_ptr options(PQconninfoParse(conninfo.c_str(), nullptr), PQconninfoFree);
  std::string text;
  for (const PQconninfoOption* o = options.get(); o && o->keyword; ++o) {
    if (!o->val) continue;
    const bool secret = o->dispchar && *o->dispchar == '*';
    text += (text.empty() ? "" : " ") + std::string(o->keyword) + "=" + (secret ? "***" : o->val);
  }
  return text;
}

}  // namespace pgtandem::database
