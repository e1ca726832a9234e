// What the verbs of one writer share while its connection lasts: the connection, the counts and the
// audit lines of the batch.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "storage/batch.hpp"
#include "storage/erased_calls.hpp"
#include "storage/outbox_rows.hpp"
#include "storage/postgres/connection/codes.hpp"
#include "storage/postgres/connection/connection.hpp"
#include "storage/postgres/connection/history.hpp"
#include "storage/postgres/verbs/claim_cursors.hpp"
#include "storage/tally_deltas.hpp"

namespace quell::storage::postgres {

class AuditLines : public ErasedCalls {
 public:
  void write(Connection& db, const std::vector<AuditOp>& ops);
  // What only the store knows. Its number is drawn last of all, with the others.
  void say(AuditOp op) { said_.push_back(std::move(op)); }
  void forget() {
    ErasedCalls::forget();
    said_.clear();
  }

 private:
  std::vector<AuditOp> said_;
};

class PgSession {
 public:
  // Throws when the server has lost what it had acknowledged.
  PgSession(const Address& address, Connection::Use use, ClaimCursors& cursors, History& history);
  void forget();
  void write_tally();
  // Something can be claimed since this batch; a cursor that is past it would miss it.
  void came_in(const std::string& queue, int pk, const JobId& job);
  void came_back(const std::string& queue) { came_in(queue, -1, JobId{}); }
  // Only from its commit on can other writers see it.
  void committed();
  void rolled_back();

  Connection db;
  const LogPlace place;  // of the server, as long as the connection lasts
  TallyDeltas tally;
  AuditLines audit;
  OutboxRows outbox;
  ClaimCursors& cursors;
  bool standbys_awaited = false;  // when the connection was made: see standbys.hpp
  bool careful = false;           // the batch failed once on what is usually so: assume nothing

 private:
  struct CameIn {
    std::string queue;
    int pk = -1;
    JobId job;
  };
  int shard_ = 0;
  std::vector<CameIn> came_in_;  // by this batch, the first of each queue
};

inline bool is_other_project(const std::string& wanted, const std::string& found) {
  return !wanted.empty() && wanted != found;
}

}  // namespace quell::storage::postgres
