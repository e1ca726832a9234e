// Enqueue: a job is born, with its payload and its place in the queue.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Enqueue {
 public:
  explicit Enqueue(SqliteSession& session);
  EnqueueResult apply(const EnqueueOp& op);

 private:
  bool has_ended(const Sender& sender);
  bool id_taken(const NewJob& job, JobEvent birth, int& epoch);
  bool key_taken(const NewJob& job, EnqueueResult& result);

  SqliteSession& session_;
  Statement runs_, taken_, restored_, key_, job_, live_, payload_;
};

}  // namespace quell::storage::sqlite
