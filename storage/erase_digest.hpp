// The audit keeps one row per delete, not per job; the digest lets anyone who has the list of jobs
// prove that it is the list that was erased.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/id.hpp"
#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/job_machine.hpp"

namespace quell::storage {

struct ErasedJob {
  JobId job;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
};

// SHA-256 in hex over the lines "<job> <was> <verdict>\n", sorted.
std::string erase_digest(const std::vector<ErasedJob>& erased);
// The detail column that goes with it.
std::string erase_detail(std::size_t jobs);

}  // namespace quell::storage
