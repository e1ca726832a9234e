// `Idempotency-Key` on whatever makes something: the ids that the first call drew are stored under
// the key, and every repeat makes the same ids, so that a job, or a schedule, exists once however
// often, and whenever, the call is cut and sent again. A repeat tells what they are now: one that
// was deleted meanwhile stays deleted, and is called so. (Deletes need no key: repeating one is
// harmless and answered anew.)
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/api/request_context.hpp"
#include "runtime/law/job.hpp"

namespace quell::http {

// Calls `go` on the loop with the ids to make, and whether this is a repeat. Without the header at
// once; else after the key is stored. A key used for another body is answered here.
void once(const RequestPtr& call, std::vector<Uuid> ids,
          std::function<void(std::vector<Uuid>, bool is_repeat)> go);
void once(const RequestPtr& call, std::vector<NewJob> jobs,
          std::function<void(std::vector<NewJob>, bool is_repeat)> go);

// What a delete that the spike guard holds is known by, so that it is held once; "" without a key.
std::string held_key(const RequestContext& call);

// For what leaves no trace when it is deleted, as a schedule: this is written with it, so that a
// repeat which does not find it knows whether it was there.
bool has_key(const RequestContext& call);
storage::DocOp made_under_key(const RequestContext& call, const std::vector<Uuid>& ids);
void forget_key(RequestContext& call);  // nothing was made: the next call under it is a first one
bool is_made(const RequestContext& call, storage::Reader& reader);

}  // namespace quell::http
