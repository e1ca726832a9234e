#include "runtime/kinds/standard.hpp"

namespace quell {

void add_standard_kinds(Registry& registry) {
  registry.add("noop", noop_kind());
  registry.add("sleep", sleep_kind());
}

}  // namespace quell
