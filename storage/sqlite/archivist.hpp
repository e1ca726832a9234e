// A copy of a job that is about to be erased, kept until a stated end, so that an undo is possible.
#pragma once

#include <memory>
#include <string>

#include "runtime/job_machine.hpp"
#include "storage/sqlite/statement.hpp"

struct ZSTD_CCtx_s;

namespace quell::storage::sqlite {

class Archivist {
 public:
  explicit Archivist(Connection& db);
  // has: which side tables are worth a look.
  void keep(JobId job, DeleteId delete_id, JobState was, int has, Instant until);

 private:
  std::string record_of(JobId job, JobState was, int has);
  std::string compressed(const std::string& text);

  struct Free {
    void operator()(ZSTD_CCtx_s* zstd) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;  // made once: making it costs more than a small record
  Statement job_, attempts_, steps_, partials_, logs_, insert_;
};

}  // namespace quell::storage::sqlite
