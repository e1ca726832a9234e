// The copy of an erased job: one compressed JSON text, the same from every store, so that a copy
// can be restored into another.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/job.hpp"
#include "storage/batch.hpp"

struct ZSTD_CCtx_s;

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
  ArchivePacker();
  std::string pack(const ArchiveRecord& record);  // zstd of the JSON text

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* zstd) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;  // made once: making it costs more than a small record
};

}  // namespace quell::storage
