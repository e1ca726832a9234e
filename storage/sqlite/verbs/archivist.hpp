// A copy of a job that is about to be erased, kept until a stated end, so that an undo is possible.
#pragma once

#include "storage/archive_record.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

class Archivist {
 public:
  explicit Archivist(Connection& db);
  struct Leave {
    DeleteId delete_id;
    JobState was = JobState::queued;
    int has = 0;  // which side tables are worth a look
    Instant now, until;
    std::optional<Instant> due;  // of a scheduled job
  };
  void keep(JobId job, const Leave& leave);

 private:
  ArchiveRecord record_of(JobId job, const Leave& leave);

  ArchivePacker packer_;
  Statement job_, attempts_, steps_, partials_, logs_, insert_;
};

}  // namespace quell::storage::sqlite
