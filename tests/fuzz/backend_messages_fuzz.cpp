// A stream of a server's messages: framed, decoded by type; a row taken apart must be the row put together again.
#include <string>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/message.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;
using namespace pgtandem::protocol;

namespace {

void rewrite_row(const frame& f) {
  const auto columns = decode_data_row(f.body);
  const auto split = split_last_column(f.body);
  fuzz::promise(split.has_value() == (columns && !columns->empty()));
  if (!split) return;
  std::string whole, without, kept;
  write_data_row(whole, *columns);
  fuzz::promise(whole == f.whole && split->last == columns->back());
  write_data_row(without, std::span(*columns).first(columns->size() - 1));
  write_data_row(kept, *split);
  fuzz::promise(without == kept);
}

void rewrite_description(const frame& f) {
  const auto fields = decode_row_description(f.body);
  std::string whole, without, cut;
  const bool done = write_row_description_without_last(cut, f.body);
  fuzz::promise(done == (fields && !fields->empty()));
  if (!done) return;
  write_row_description(whole, *fields);
  write_row_description(without, std::span(*fields).first(fields->size() - 1));
  fuzz::promise(whole == f.whole && cut == without);
}

void rewrite_error(const frame& f) {
  const auto e = decode_error(f.body);
  if (!e) return;
  std::string moved;
  write_with_position(moved, f.type, *e, 7);
  const frame again = scan(moved);
  const auto read = again.complete() ? decode_error(again.body) : std::nullopt;
  fuzz::promise(!read || (read->position() == 7u && read->message() == e->message()));
  fuzz::promise(read.has_value() || e->fields.size() >= 64);  // one more than the bound: cannot be read again
}

void decode(const frame& f) {
  switch (f.type) {
    case backend::data_row:
      return rewrite_row(f);
    case backend::row_description:
      return rewrite_description(f);
    case backend::error_response:
    case backend::notice_response:
      return rewrite_error(f);
    case backend::parameter_status:
      decode_parameter_status(f.body);
      return;
    case backend::backend_key_data:
      decode_backend_key(f.body);
      return;
    case backend::ready_for_query:
      decode_ready_for_query(f.body);
      return;
    case backend::command_complete:
      decode_command_complete(f.body);
      return;
    case backend::parameter_description:
      decode_parameter_description(f.body);
      return;
    case backend::authentication:
      if (const auto request = decode_authentication(f.body)) decode_sasl_mechanisms(request->data);
      return;
    default:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view stream = fuzz::text(data, size);
  for (frame f = scan(stream); f.complete(); f = scan(stream)) {
    decode(f);
    stream.remove_prefix(f.size);
  }
  return 0;
}
