// Finding the job that a path names, with the one answer that every route gives when it is not
// there.
#pragma once

#include <optional>

#include "http/api/request_context.hpp"
#include "runtime/law/job.hpp"

namespace quell::http {

// On a reader's thread. Nothing means that the call is answered: 404 for an id never seen or of
// another project, 410 for one that was deleted.
std::optional<JobView> find_job(RequestContext& call, storage::Reader& reader, JobId id,
                                bool with_payload);

}  // namespace quell::http
