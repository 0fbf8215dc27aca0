// A stream of a client's messages: framed, decoded by type, and what is decoded must be written back as it was.
#include <string>

#include "protocol/frontend_messages.hpp"
#include "protocol/message.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;
using namespace pgtandem::protocol;

namespace {

void rewrite_bind(const frame& f) {
  const auto m = decode_bind(f.body);
  if (!m) return;
  std::string again;
  write_bind(again, *m, m->portal, m->statement, m->result_formats);
  fuzz::promise(again == f.whole);
}

void rewrite_parse(const frame& f) {
  const auto m = decode_parse(f.body);
  if (!m) return;
  std::string again;
  write_parse(again, m->name, m->sql, m->parameter_types);
  fuzz::promise(again == f.whole);
}

void decode(const frame& f) {
  switch (f.type) {
    case frontend::query:
      decode_query(f.body);
      return;
    case frontend::parse:
      return rewrite_parse(f);
    case frontend::bind:
      return rewrite_bind(f);
    case frontend::describe:
    case frontend::close:
      decode_describe(f.body);
      return;
    case frontend::execute:
      decode_execute(f.body);
      return;
    default:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view stream = fuzz::text(data, size);
  for (frame f = scan(stream); f.complete(); f = scan(stream)) {
    fuzz::promise(f.whole.size() == f.size && f.size >= header_size);
    decode(f);
    stream.remove_prefix(f.size);
  }
  return 0;
}
