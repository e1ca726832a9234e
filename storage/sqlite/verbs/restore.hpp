// An erased job comes back from its copy: every row that the erase took, under a new epoch. The
// copy goes, the tombstone stays and says since which epoch the law lets the id in again.
#pragma once

#include "storage/archive_record.hpp"
#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Restore {
 public:
  explicit Restore(SqliteSession& session);
  RestoreResult apply(const RestoreOp& op);

 private:
  struct Copy {
    DeleteId delete_id;
    Instant at;
    std::string body;
  };
  std::optional<Copy> find(const RestoreOp& op);
  bool id_taken(JobId job, int& tomb_epoch);
  bool key_taken(const ArchiveRecord& record, RestoreResult& result);
  void insert(const ArchiveRecord& record, const RestoredJob& job);
  int insert_side_rows(const ArchiveRecord& record, const RestoredJob& job);

  SqliteSession& session_;
  Statement copy_, taken_, key_, let_in_, job_, live_, payload_, result_, progress_, attempt_,
      step_, partial_, log_, drop_;
};

}  // namespace quell::storage::sqlite
