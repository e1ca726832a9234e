// A planted fault, chosen by QUELL_MUTANT in the environment of a test build. In every other build
// the question is a constant and leaves nothing behind.
#pragma once

#include <cstdint>

namespace quell {

enum class Mutant : std::uint8_t {
#define QUELL_MUTANT(name, what) name,
#include "actors/node/mutants.def"
#undef QUELL_MUTANT
};

#ifdef QUELL_MUTANTS
bool mutated(Mutant mutant);
#else
constexpr bool mutated(Mutant) {
  return false;
}
#endif

}  // namespace quell
