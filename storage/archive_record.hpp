// The copy of an erased job: one compressed JSON text, the same from every store, so that a copy
// can be restored into another. It holds every byte: a text that is no UTF-8 is kept as base64.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/law/job.hpp"
#include "storage/batch.hpp"
#include "storage/packed_text.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

struct ArchiveRecord {
  JobId id;
  JobState was = JobState::queued;
  std::string project, queue, kind;
  int priority = 0, epoch = 0, attempt = 0, lost = 0;
  std::optional<Instant> due, started, finished, expires, result_expires;
  std::optional<double> progress;
  std::string args, options, result, error, usage, phase;
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

// A fault when the text is damaged.
Result<ArchiveRecord> unpack_record(std::string packed);

// What comes back of it, decided once for every store. `epoch` is of the tombstone, or 0.
struct RestoredJob {
  JobState state = JobState::queued;
  int epoch = 0;
  std::optional<Instant> due, finished, expires, result_expires;
};
RestoredJob restored_from(const ArchiveRecord& record, int tomb_epoch, Instant deleted,
                          const RestoreOp& op);
CopyView copy_view(CopyHead head, ArchiveRecord record);

}  // namespace quell::storage
