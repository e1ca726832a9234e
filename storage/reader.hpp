// What can be read. A Reader belongs to one thread at a time and never waits for a writer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/result.hpp"
#include "storage/batch.hpp"

namespace quell::storage {

struct Tombstone {
  JobId job;
  DeleteId delete_id;
  Instant at, until;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  std::string who, reason;  // of the call, "" when it is no longer kept
};

// A job by id: as it is, or what is left of it.
struct Found {
  std::optional<JobView> job;
  std::optional<Tombstone> tomb;
};

struct JobFilter {
  std::string project = {};  // "" = any
  std::vector<JobState> states = {};
  std::string queue = {}, kind = {}, tag = {}, schedule = {};
  std::optional<Instant> created_from = {}, created_before = {};
};
struct ListQuery {
  JobFilter filter;
  std::optional<JobId> after = {};  // keyset: ids below this one, newest first
  int limit = 50;
  bool with_payload = false;  // args, result
};
struct JobPage {
  std::vector<JobView> jobs;
  bool is_partial = false;  // more may follow: an unindexed filter met its bound
  std::optional<JobId> next;
};
struct CountRow {
  std::string queue;
  JobState state;
  std::int64_t n = 0;
};
struct DeliveryView {
  Uuid id;
  JobId job;
  std::string endpoint, event, log;
  int tries = 0;
  bool in_flight = false;
  std::optional<Instant> due;
  std::string body = {};
};
struct TicketView {
  JobId job;
  DeleteId delete_id;
  JobState state = JobState::pending_delete;
  JobState was = JobState::queued;
  std::string who, reason, error;
  Instant at;
  int tries = 0;
  std::optional<Instant> next_try;
  std::vector<Holder> open;
  bool forced = false;
};
struct CallView {
  DeleteId delete_id;
  std::string who, reason, path, counts, receipt;  // counts, receipt: JSON, "" until final
  Instant at;
};
struct NodeView {
  NodeLife owner;
  std::int64_t beat = 0;
  bool gone = false;
  std::string info;
};
struct Doc {
  std::string kind, id, project, body;
  std::int64_t version = 0;
};
struct AuditRow {
  std::int64_t no = 0;
  Instant at;
  std::string who, what, ref, detail, digest, hash;  // hash: "" until sealed
};
// What a node must do for others: own holders without verdict, and own runs with a cancel wish.
struct Orders {
  std::vector<std::pair<JobId, Holder>> holders;
  std::vector<std::pair<JobId, int>> wishes;  // and their epoch
};
struct StoreStats {
  std::int64_t bytes = 0;
  int schema = 0;
  bool replicated = false;
  std::string warning = {};  // what an operator should look at now; "" when all is well
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::vector<Found>> get(const std::vector<JobId>& jobs, bool with_payload) = 0;
  virtual Result<JobPage> list(const ListQuery& query) = 0;
  virtual Result<std::vector<CountRow>> counts(
      const std::string& project) = 0;  // every queue and state that has jobs
  virtual Result<std::vector<AttemptRecord>> attempts(JobId job) = 0;
  virtual Result<std::vector<std::pair<std::int64_t, LogLine>>> logs(JobId job, std::int64_t after,
                                                                     int limit) = 0;
  virtual Result<std::vector<std::pair<std::int64_t, std::string>>> partials(JobId job,
                                                                             std::int64_t after,
                                                                             int limit) = 0;
  virtual Result<std::vector<StepResult>> steps(JobId job) = 0;
  virtual Result<std::vector<DeliveryView>> deliveries(JobId job) = 0;
  virtual Result<std::vector<DeliveryView>> deliveries_of(const std::string& endpoint,
                                                          std::optional<Uuid> before,
                                                          int limit) = 0;  // by id, newest first
  virtual Result<std::optional<DeliveryView>> delivery(Uuid id) = 0;
  virtual Result<std::vector<Uuid>> flying(const NodeLife& owner) = 0;  // in flight, by id
  virtual Result<std::vector<TicketView>> tickets(std::optional<DeleteId> only, bool due_only,
                                                  Instant now, int limit) = 0;
  virtual Result<std::optional<CallView>> call(DeleteId id) = 0;
  virtual Result<std::vector<CallView>> calls(std::optional<DeleteId> after,
                                              int limit) = 0;  // newest first
  virtual Result<std::vector<Tombstone>> tombstones(DeleteId id, std::optional<JobId> after,
                                                    int limit) = 0;
  virtual Result<std::vector<std::pair<JobId, int>>> running(
      const NodeLife& owner) = 0;  // job, epoch
  virtual Result<Orders> orders(const NodeLife& owner) = 0;
  virtual Result<std::optional<Instant>> next_due() = 0;  // of scheduled jobs
  virtual Result<std::optional<Instant>> next_delivery() = 0;
  virtual Result<std::optional<JobId>> oldest_queued(const std::string& queue) = 0;  // by id
  virtual Result<std::vector<JobId>> expired(Instant now,
                                             int limit) = 0;  // final, past `expires`, not live
  virtual Result<std::vector<NodeView>> nodes() = 0;
  virtual Result<std::optional<Doc>> doc(const std::string& kind, const std::string& id) = 0;
  virtual Result<std::vector<Doc>> docs(const std::string& kind,
                                        const std::string& project) = 0;  // "" = any project
  virtual Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) = 0;
  virtual Result<std::optional<AuditRow>> audit_head() = 0;  // the last sealed row
  virtual Result<StoreStats> stats() = 0;
  // The orphan query: side rows without a job, rows of a job that contradict each other. Empty when
  // the store is sound.
  virtual Result<std::vector<std::string>> orphans() = 0;
};

}  // namespace quell::storage
