#include "actors/node/mutant.hpp"

#ifdef QUELL_MUTANTS

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace quell {

namespace {

constexpr std::string_view names[] = {
#define QUELL_MUTANT(name, what) #name,
#include "actors/node/mutants.def"
#undef QUELL_MUTANT
};

// A name that nobody knows would be a mutant that every test lets through.
int chosen() {
  const char* name = std::getenv("QUELL_MUTANT");
  if (name == nullptr || *name == '\0') return -1;
  for (int i = 0; i < static_cast<int>(std::size(names)); ++i)
    if (names[i] == name) return i;
  std::fprintf(stderr, "no mutant is called %s\n", name);
  std::abort();
}

}  // namespace

bool mutated(Mutant mutant) {
  static const int one = chosen();
  return static_cast<int>(mutant) == one;
}

}  // namespace quell

#endif
