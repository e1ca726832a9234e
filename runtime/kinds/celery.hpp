// The kind `celery`: one task of the team's own Celery app, run by Celery itself in a process that
// the fork server forks for this attempt.
#pragma once

#include "runtime/kinds/forked.hpp"

namespace quell {

Kind celery_kind(ForkedAppPtr app);

// Python that the program carries, for the move: what drains an old Redis, what reads a beat.
const char* celery_import_source();
const char* celery_beat_source();

}  // namespace quell
