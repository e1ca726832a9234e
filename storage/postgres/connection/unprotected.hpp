// Of a query over `job j`: what the settings protect is left out. `queues` and `tags` are its
// parameters, arrays of text.
#pragma once

#include <string>
#include <vector>

#include "storage/postgres/connection/array_literal.hpp"

#define QUELL_UNPROTECTED(queues, tags)                                                       \
  " AND j.queue <> ALL(" queues "::text[]) AND (cardinality(" tags                            \
  "::text[]) = 0 OR NOT EXISTS (SELECT 1 FROM payload p WHERE p.job = j.id AND p.meta <> '' " \
  "AND (p.meta::jsonb -> 'tags') ?| " tags "::text[]))"

namespace quell::storage::postgres {

inline const std::vector<std::string> no_texts;

inline ArrayLiteral texts_of(const std::vector<std::string>& texts) {
  ArrayLiteral array;
  for (const std::string& text : texts) array.add(text);
  return array;
}

}  // namespace quell::storage::postgres
