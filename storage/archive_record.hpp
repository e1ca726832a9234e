// The copy of an erased job: one compressed JSON text, the same from every store, so that a copy
// can be restored into another.
#pragma once

#include <string>
#include <vector>

#include "runtime/job.hpp"
#include "storage/batch.hpp"
#include "storage/packed_text.hpp"

namespace quell::storage {

struct ArchiveRecord {
  JobId id;
  JobState was = JobState::queued;
  std::string project, queue, kind;
  int priority = 0, epoch = 0, attempt = 0, lost = 0;
  std::optional<Instant> started, finished, expires;
  std::string args, options, result, error, usage;
  std::optional<std::string> unique_key;
  std::vector<AttemptRecord> attempts;
  std::vector<StepResult> steps;
  std::vector<std::string> partials;
  std::vector<LogLine> logs;
};

class ArchivePacker {
 public:
  std::string pack(const ArchiveRecord& record);

 private:
  Packer packer_;
};

}  // namespace quell::storage
