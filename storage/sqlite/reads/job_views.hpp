// A job as it is shown, from its rows.
#pragma once

#include <optional>

#include "runtime/law/job.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

class JobViews {
 public:
  explicit JobViews(Connection& db);
  std::optional<JobView> find(JobId job, bool with_payload);

 private:
  Statement lean_, full_;  // args and results may be long: they are read only on demand
};

}  // namespace quell::storage::sqlite
