// What the verbs of one writer share: the connection, the counts and the audit lines of the batch,
// and the look at a job that most verbs start with.
#pragma once

#include <optional>
#include <string>

#include "storage/batch.hpp"
#include "storage/outbox_rows.hpp"
#include "storage/sqlite/connection/codes.hpp"
#include "storage/sqlite/connection/statement.hpp"
#include "storage/sqlite/verbs/audit_lines.hpp"
#include "storage/sqlite/verbs/tally.hpp"

namespace quell::storage::sqlite {

// A job as the verbs see it before they decide.
struct JobHead {
  JobState state = JobState::queued;
  int epoch = 0;  // the run's when there is one
  std::string project, queue;
  int has = 0;
  int attempt = 0, lost = 0;  // attempts that ended
  std::optional<DeleteId> delete_id;
  NodeLife owner;  // when running
  bool cancel_requested = false;
  std::optional<std::string> unique_key;  // of a live job
  std::optional<Instant> started;
  std::optional<Instant> due;  // of a scheduled job, or of one that is held and was
};

// What is left of a job.
struct TombstoneRow {
  DeleteId delete_id;
  int epoch = 0;
  Instant at;
  JobState was = JobState::queued;
};

class SqliteSession {
 public:
  explicit SqliteSession(Connection& connection);
  std::optional<JobHead> look(JobId job);
  std::optional<TombstoneRow> tombstone(JobId job);
  // False for a life that was declared dead, or is older than the node's: it may claim nothing.
  bool may_claim(const NodeLife& owner);
  void insert_deliveries(JobId job, const std::vector<NewDelivery>& deliveries);
  // Puts the outbox row of a job that comes to rest beside it; returns the bit of job.has that is
  // true then, or 0.
  int tell(JobId job, const JobHead& head, std::string_view event, JobState state, Instant at,
           std::string_view reason = {});

  Connection& db;
  Tally tally;
  AuditLines audit;
  OutboxRows outbox;

 private:
  Statement look_, tombstone_, dead_, delivery_, options_;
};

inline bool is_other_project(const std::string& wanted, const std::string& found) {
  return !wanted.empty() && wanted != found;
}

}  // namespace quell::storage::sqlite
