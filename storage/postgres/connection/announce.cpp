#include "storage/postgres/connection/announce.hpp"

#include <fmt/format.h>

#include "storage/hints.hpp"
#include "storage/postgres/connection/array_literal.hpp"

namespace quell::storage::postgres {

std::string announcement(const Batch& batch, const Outcome& outcome) {
  std::string statements;
  for (const std::string& text : said_of(batch, outcome, hint_bytes)) {
    // As hex: nothing that a queue is called can end the literal.
    std::string hex;
    append_hex(hex, shown_text(text));
    statements += fmt::format("SELECT pg_notify('{}', convert_from('\\x{}'::bytea, 'UTF8'));",
                              hint_channel, hex);
  }
  return statements;
}

}  // namespace quell::storage::postgres
