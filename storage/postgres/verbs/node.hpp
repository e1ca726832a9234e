// Nodes, their lives and beats, what dead lives leave behind, and who leads which role.
#pragma once

#include "storage/postgres/verbs/verdict.hpp"
#include "storage/postgres/working_set/working_set.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

// What a node must do for others.
Orders orders_for(Connection& db, const NodeLife& owner);

class Nodes {
 public:
  explicit Nodes(PgSession& session) : session_(session) {}
  NodeLife apply(const StartNodeOp& op);
  BeatResult apply(const BeatOp& op);
  RoleResult apply(const RoleOp& op);
  // False for a life that was declared dead, or is older than the node's: it may claim nothing. The
  // row stays locked against a recovery until the claim is committed.
  bool may_claim(const NodeLife& owner);
  void forget() { may_claim_.reset(); }

 private:
  PgSession& session_;
  std::optional<std::pair<NodeLife, bool>> may_claim_;  // asked once a batch
};

class Recover {
 public:
  Recover(WorkingSet& rows, Verdicts& verdicts) : rows_(rows), verdicts_(verdicts) {}
  RecoverResult apply(const RecoverOp& op);

 private:
  bool still_stands(const RecoverOp& op);
  void doubt_deliveries(const RecoverOp& op);
  void take_back_runs(const RecoverOp& op, const std::vector<JobId>& runs, RecoverResult& result);
  void close_holders(const RecoverOp& op, const std::vector<JobId>& jobs, RecoverResult& result);

  WorkingSet& rows_;
  Verdicts& verdicts_;
};

}  // namespace quell::storage::postgres
