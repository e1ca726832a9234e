// What the verbs of one writer share while its connection lasts: the connection, the counts and the
// audit lines of the batch.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "storage/batch.hpp"
#include "storage/erased_calls.hpp"
#include "storage/news.hpp"
#include "storage/postgres/claim_cursors.hpp"
#include "storage/postgres/codes.hpp"
#include "storage/postgres/connection.hpp"
#include "storage/tally_deltas.hpp"

namespace quell::storage::postgres {

class AuditLines : public ErasedCalls {
 public:
  void write(Connection& db, const std::vector<AuditOp>& ops);
};

class Session {
 public:
  Session(const Address& address, Connection::Use use, ClaimCursors& cursors);
  void forget();
  void write_tally();
  // Something can be claimed since this batch; a cursor that is past it would miss it.
  void came_in(const std::string& queue, int pk, const JobId& job);
  void came_back(const std::string& queue) { came_in(queue, -1, JobId{}); }
  // Only from its commit on can other writers see it.
  void committed();
  void rolled_back();

  Connection db;
  TallyDeltas tally;
  AuditLines audit;
  News news;
  ClaimCursors& cursors;
  bool careful = false;  // the batch failed once on what is usually so: assume nothing

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
