#include "runtime/kinds/standard.hpp"

namespace quell {

namespace {
Task noop(JobContext) {
  co_return std::string();
}
}  // namespace

Kind noop_kind() {
  Kind kind;
  kind.run = noop;
  kind.sentence = "Does nothing and succeeds; for measuring and for probes.";
  return kind;
}

}  // namespace quell
