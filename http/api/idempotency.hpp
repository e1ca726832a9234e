// `Idempotency-Key` on submits: the ids that the first call drew are stored under the key, and
// every repeat submits the same ids, so that a job exists once however often, and whenever, the
// call is cut and sent again. A repeat tells what the jobs are now: one that was deleted meanwhile
// stays deleted, and is called so. (Deletes need no key: repeating one is harmless and answered
// anew.)
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/api/request_context.hpp"
#include "runtime/law/job.hpp"

namespace quell::http {

// Calls `go` on the loop with the jobs to submit, and whether this is a repeat. Without the header
// at once; else after the key is stored. A key used for another body is answered here.
void once(const RequestPtr& call, std::vector<NewJob> jobs,
          std::function<void(std::vector<NewJob>, bool is_repeat)> go);

}  // namespace quell::http
