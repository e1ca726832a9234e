// The kind `python`: a plain function of the team's, which has `@quell.task` above it, run in a
// process that the fork server forks for this attempt.
#pragma once

#include "runtime/kinds/forked.hpp"

namespace quell {

Kind python_kind(ForkedAppPtr app);

}  // namespace quell
