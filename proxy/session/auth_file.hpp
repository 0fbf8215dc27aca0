// Reads the file of users and secrets, in the format of pgbouncer's userlist: `"user" "secret"`, one pair a line.
//
// A quote inside is doubled; lines that begin with ';' or '#' and what follows a pair after them are comments. A secret
// is a password, "md5…" or a SCRAM verifier. All mistakes are reported, with their lines; no message holds a secret.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgtandem::session {

inline constexpr std::size_t auth_file_max = 16 << 20;  // bytes of a file
inline constexpr std::size_t auth_mistakes_max = 100;   // reported; reading stops there

struct auth_mistake {
  std::size_t line = 0;  // from 1; 0 = the file as a whole
  std::string message;
};

struct auth_file {
  std::unordered_map<std::string, std::string> secrets;  // by user
  std::vector<auth_mistake> mistakes;                    // not empty: the file must not be used
};

auth_file parse_auth_file(std::string_view text);

}  // namespace pgtandem::session
