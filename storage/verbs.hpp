// The table of verbs for whoever does the same with each: join, cut, weigh, repeat.
#pragma once

#include <cstddef>

#include "storage/batch.hpp"

namespace quell::storage {

enum class VerbLane : std::uint8_t { beside, alone };
enum class VerbRows : std::uint8_t { jobs, own };
enum class VerbWord : std::uint8_t { signed_for, promised, plain };

struct VerbTraits {
  VerbLane lane;
  VerbRows rows;
  VerbWord word;
};

// visit(&Batch::VERB, &Outcome::VERB or nullptr, VerbTraits), in the order of a batch.
template <class F>
void each_verb(F&& visit) {
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) \
  visit(&Batch::verb, &Outcome::verb, VerbTraits{VerbLane::lane, VerbRows::rows, VerbWord::word});
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) \
  visit(&Batch::verb, nullptr, VerbTraits{VerbLane::lane, VerbRows::rows, VerbWord::word});
#include "storage/spec/verbs.def"
}

// How many operations of a batch a rule picks.
template <class Rule>
std::size_t count_ops(const Batch& batch, Rule&& rule) {
  std::size_t count = 0;
  each_verb([&](auto ops, auto, VerbTraits traits) {
    if (rule(traits)) count += (batch.*ops).size();
  });
  return count;
}

}  // namespace quell::storage
