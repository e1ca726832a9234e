// The kinds that are useful out of the box, one file each; `add_standard_kinds` gathers them.
#pragma once

#include "runtime/task/task.hpp"

namespace quell {

Kind noop_kind();
Kind sleep_kind();
Kind http_kind();
Kind exec_kind();
Kind llm_kind();
Kind workflow_kind();

}  // namespace quell
