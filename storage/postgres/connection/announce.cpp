#include "storage/postgres/connection/announce.hpp"

#include <fmt/format.h>

#include "storage/hints.hpp"
#include "storage/postgres/connection/array_literal.hpp"

namespace quell::storage::postgres {

namespace {

// PostgreSQL takes 8,000.
constexpr std::size_t most_bytes = 7'900;

}  // namespace

std::string announcement(const Batch& batch, const Outcome& outcome) {
  const std::string payload = join_hints(hints_of(batch, outcome), most_bytes);
  if (payload.empty()) return {};
  // As hex: nothing that a queue is called can end the literal.
  std::string hex;
  append_hex(hex, shown_text(payload));
  return fmt::format("SELECT pg_notify('{}', convert_from('\\x{}'::bytea, 'UTF8'));", hint_channel,
                     hex);
}

}  // namespace quell::storage::postgres
