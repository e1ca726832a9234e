// A submitted job, read strictly from JSON into the value that the node takes.
#pragma once

#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "http/api/fields.hpp"
#include "runtime/signing/token.hpp"

namespace quell::http {

inline constexpr std::size_t max_args_bytes = 256 * 1024;
inline constexpr std::size_t max_tags = 200;
inline constexpr std::size_t max_bulk_jobs = 10'000;

// What the submitter may do, and what stands where the job says nothing.
struct SubmitTerms {
  const Registry* registry = nullptr;
  ScopeSet scopes;
  bool exec_enabled = false;
  std::string project;  // of the token; "" = any
  std::string who;      // hands it in
  std::string traceparent;
  JobOptions defaults;  // where the job says nothing
  Instant now;
};

// Whether who holds these scopes may have this kind run here with these args. Asked whenever a job
// is put in the way of running, not only when it is submitted.
Result<void> may_run(const Registry& registry, const std::string& kind, const std::string& args,
                     const ScopeSet& held, bool exec_enabled);

// Adds to `faults` what is wrong; then the job is of no use.
NewJob read_job(JsonValue object, const std::string& pointer, const SubmitTerms& terms,
                IdSource& ids, std::vector<FieldFault>& faults);

}  // namespace quell::http
