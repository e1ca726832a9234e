// W3C Trace Context: what came with a job's submit goes with its outbound calls, so that a trace
// which began at a caller goes on behind us.
#pragma once

#include <string>
#include <string_view>

#include "runtime/task/effects.hpp"

namespace quell {

// "00-<32 hex>-<16 hex>-<2 hex>", lower case, neither id all zeros; a later version may say more
// behind it, which is dropped. "" when `header` is none: a broken one is as good as absent.
std::string_view traceparent_of(std::string_view header);

// Gives an HTTP call the job's traceparent, unless the job has set one itself.
void pass_trace_on(EffectRequest& request, const std::string& traceparent);

}  // namespace quell
