// A copy of a job that is about to be erased, kept until a stated end, so that an undo is possible.
#pragma once

#include "storage/archive_record.hpp"
#include "storage/sqlite/statement.hpp"

namespace quell::storage::sqlite {

class Archivist {
 public:
  explicit Archivist(Connection& db);
  // has: which side tables are worth a look.
  void keep(JobId job, DeleteId delete_id, JobState was, int has, Instant until);

 private:
  ArchiveRecord record_of(JobId job, JobState was, int has);

  ArchivePacker packer_;
  Statement job_, attempts_, steps_, partials_, logs_, insert_;
};

}  // namespace quell::storage::sqlite
