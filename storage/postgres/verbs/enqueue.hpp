// Enqueue: jobs are born, with their payload and their place in the queue.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Enqueue {
 public:
  explicit Enqueue(WorkingSet& rows) : session_(rows.session()), rows_(rows) {}
  // The rows of the senders, which stay as they are from the look to the commit.
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  // Not careful: an id is taken to be free until the database says otherwise, by a fault after
  // which the batch is done again with care. Ids are made to be unique, so that hardly happens.
  std::vector<EnqueueResult> apply(const std::vector<EnqueueOp>& ops);

 private:
  struct Birth {
    const EnqueueOp* op;
    int epoch;
    JobState state;
    std::string meta;
  };
  struct Known;
  bool has_ended(const Sender& sender);
  void look_up(const std::vector<const EnqueueOp*>& ops, Known& known);
  void write(const std::vector<Birth>& births);
  void write_payload(const std::vector<Birth>& births, const std::vector<int>& has);
  void write_restored(const std::vector<Birth>& births);
  void write_deliveries(const std::vector<Birth>& births);

  PgSession& session_;
  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
