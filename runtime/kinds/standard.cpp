#include "runtime/kinds/standard.hpp"

namespace quell {

void add_standard_kinds(Registry& registry) {
  registry.add("noop", noop_kind());
  registry.add("sleep", sleep_kind());
  registry.add("http", http_kind());
  registry.add("exec", exec_kind());
  registry.add("llm", llm_kind());
  registry.add("workflow", workflow_kind());
}

}  // namespace quell
