// What the verbs of one writer share while its connection lasts: the connection, the counts and the
// audit lines of the batch.
#pragma once

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/batch.hpp"
#include "storage/erased_calls.hpp"
#include "storage/news.hpp"
#include "storage/postgres/codes.hpp"
#include "storage/postgres/connection.hpp"
#include "storage/tally_deltas.hpp"

namespace quell::storage::postgres {

class AuditLines : public ErasedCalls {
 public:
  void write(Connection& db, const std::vector<AuditOp>& ops);
};

// Where the last full claim of a queue ended: the next one starts behind it and so jumps over the
// dead index entries of what was claimed before. A job that comes in before it waits for at most
// `lifetime`, or not at all when it came in by this writer.
struct ClaimCursor {
  static constexpr std::chrono::milliseconds lifetime{200};
  int pk = -1;
  JobId job;
  std::chrono::steady_clock::time_point since;
};

class Session {
 public:
  Session(const Address& address, Connection::Use use);
  void forget();
  void write_tally();
  // Something can be claimed since this batch; a cursor that is past it would miss it.
  void came_in(const std::string& queue, int pk, JobId job);

  Connection db;
  TallyDeltas tally;
  AuditLines audit;
  News news;
  std::unordered_map<std::string, ClaimCursor> cursors;
  bool careful = false;  // the batch failed once on what is usually so: assume nothing

 private:
  int shard_ = 0;
};

inline bool is_other_project(const std::string& wanted, const std::string& found) {
  return !wanted.empty() && wanted != found;
}

}  // namespace quell::storage::postgres
