// Erased jobs come back from their copies: every row that the erase took, under a new epoch. The
// copies go, the tombstones stay and say since which epoch the law lets the ids in again.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "storage/archive_record.hpp"
#include "storage/postgres/connection/pg_session.hpp"

namespace quell::storage::postgres {

class Restore {
 public:
  explicit Restore(PgSession& session) : session_(session) {}
  std::vector<RestoreResult> apply(const std::vector<RestoreOp>& ops);

 private:
  struct Copy {
    DeleteId delete_id;
    Instant at, until;
    Result<ArchiveRecord> record;
  };
  struct Risen {
    const ArchiveRecord* record = nullptr;
    RestoredJob job;
    int has = 0;
  };
  // What is there, and what this batch has added so far.
  struct Known {
    std::unordered_map<JobId, Copy> copies;  // locked
    std::unordered_map<JobId, bool> taken;
    std::unordered_map<JobId, int> tomb_epochs;
    std::map<std::pair<std::string, std::string>, JobId> keys;
  };
  Known look_up(const std::vector<RestoreOp>& ops);
  void look_at_keys(Known& known);
  RestoreResult decide(const RestoreOp& op, Known& known, std::vector<Risen>& risen);
  void write(std::vector<Risen>& risen);
  void write_side_rows(std::vector<Risen>& risen);
  void write_live(const std::vector<Risen>& risen);
  void write_final(const std::vector<Risen>& risen);

  PgSession& session_;
};

}  // namespace quell::storage::postgres
