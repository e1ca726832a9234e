// A copy of a job that is about to be erased, kept until a stated end, so that an undo is possible.
#pragma once

#include <string>

#include "runtime/job_machine.hpp"
#include "storage/sqlite/statement.hpp"

namespace quell::storage::sqlite {

class Archivist {
 public:
  explicit Archivist(Connection& db);
  void keep(JobId job, DeleteId delete_id, JobState was, Instant until);

 private:
  std::string record_of(JobId job, JobState was);

  Statement job_, attempts_, steps_, partials_, logs_, insert_;
};

}  // namespace quell::storage::sqlite
