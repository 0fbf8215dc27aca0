// An op: one write transaction of a client on its way to the secondary, with its idempotency key and its effects.
//
// Created by the session when the first row image arrives, handed to the thread's applier pool at commit, shared by both until
// the applier is done. One thread only. Names in the ledger: op_id, epoch, boot, source_rev (see proxy/database/schema).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

enum class effect_kind : std::uint8_t { upsert, remove, truncate };

// One row image, in the order in which the primary produced it.
struct effect {
  effect_kind kind = effect_kind::upsert;
  std::shared_ptr<const sql::table> table;  // the root
  std::uint32_t offset = 0, length = 0;     // the record literal, in op::images. truncate: its statement's suffix, empty or
                                            // " RESTART IDENTITY" (CASCADE is resolved: one effect per table, same group)
  std::uint32_t group = 0;                  // truncate: effects with the same non-zero group are one TRUNCATE statement
};

struct op {
  std::string op_id;          // UUIDv7, canonical text
  std::int32_t epoch = 0;
  std::string boot;           // token of the primary's incarnation, canonical text; empty = it had none
  std::string source_rev;     // pg_current_xact_id(), decimal
  std::vector<effect> effects;
  std::string images;         // arena: record literals "(tableoid,ddl_version,c1,…)" as PostgreSQL's record_out wrote them
  std::string keys;           // JSON for ledger.keys and mark_dirty(): [["public.t",["1"],null],["public.c",["1"],["pid"]],…]
  bool in_order = false;      // must be replayed image by image (DESIGN §3, order within an op)
  bool given_up = false;      // the client has stopped waiting: never send it, or never retry it
  bool overdue = false;       // given up because its budget has passed: the breaker has heard so
};
using op_ptr = std::shared_ptr<op>;

enum class apply_result : std::uint8_t { applied, refused, lost, timed_out, breaker_open, queue_full };
struct apply_outcome {
  apply_result result = apply_result::refused;
  std::string sqlstate;       // of a refusal, else empty
  std::string message;        // for the log and the operator; holds no row values
};

}  // namespace pgtandem::session
