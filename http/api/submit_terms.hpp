// What whoever calls may submit, and what stands where he says nothing.
#pragma once

#include "http/api/job_request.hpp"
#include "http/api/request_context.hpp"

namespace quell::http {

SubmitTerms submit_terms(const RequestContext& call);

}  // namespace quell::http
