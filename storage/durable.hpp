// Which commits somebody will sign for: of those a store says how durable they are.
#pragma once

#include "storage/verbs.hpp"

namespace quell::storage {

inline bool is_asked_how_durable(const Batch& batch) {
  return count_ops(batch, [](VerbTraits verb) { return verb.word == VerbWord::signed_for; }) > 0;
}

}  // namespace quell::storage
