#include "runtime/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace quell {

void assertion_failed(const char* claim, const char* file, int line) noexcept {
  std::fprintf(stderr, "quell: assertion failed: %s at %s:%d\n", claim, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace quell
