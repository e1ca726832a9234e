// A submitted job, read strictly from JSON into the value that the node takes.
#pragma once

#include <string>
#include <vector>

#include "actors/node.hpp"
#include "http/fields.hpp"

namespace quell::http {

inline constexpr std::size_t max_args_bytes = 256 * 1024;
inline constexpr std::size_t max_tags = 200;
inline constexpr std::size_t max_bulk_jobs = 10'000;

// What the submitter may do, and what stands where he says nothing.
struct SubmitTerms {
  const Registry* registry = nullptr;
  bool (*may)(const void* principal, std::string_view scope) = nullptr;
  const void* principal = nullptr;
  std::string project;  // of the token; "" = any
  std::string traceparent;
  JobOptions defaults;  // where the job says nothing
  Instant now;
};

// A name of a queue, project, tag or kind: short, and safe to show anywhere.
bool is_name(std::string_view text);

// Adds to `faults` what is wrong; then the job is of no use.
NewJob read_job(JsonValue object, const std::string& pointer, const SubmitTerms& terms,
                IdSource& ids, std::vector<FieldFault>& faults);

}  // namespace quell::http
