// `Idempotency-Key` on submits: the ids that the first call drew are stored under the key, and
// every repeat submits the same ids, so that a job exists once however often, and whenever, the
// call is cut and sent again. (Deletes need no key: repeating one is harmless and answered anew.)
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/call.hpp"
#include "runtime/job.hpp"

namespace quell::http {

// Calls `go` on the loop with the jobs to submit, and whether this is a repeat. Without the header
// at once; else after the key is stored. A key used for another body is answered here.
void once(const CallPtr& call, std::vector<NewJob> jobs,
          std::function<void(std::vector<NewJob>, bool is_repeat)> go);

}  // namespace quell::http
