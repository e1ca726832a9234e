// Nodes, their lives and beats, what dead lives leave behind, and who leads which role.
#pragma once

#include "storage/postgres/sheet.hpp"
#include "storage/postgres/verdict.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

// What a node must do for others.
Orders orders_for(Connection& db, const NodeLife& owner);

class Nodes {
 public:
  explicit Nodes(Session& session) : session_(session) {}
  NodeLife apply(const StartNodeOp& op);
  BeatResult apply(const BeatOp& op);
  RoleResult apply(const RoleOp& op);
  // False for a life that was buried, or is older than the node's: it may claim nothing. The row
  // stays locked against a burial until the claim is committed.
  bool may_claim(const NodeLife& owner);
  void forget() { may_claim_.reset(); }

 private:
  Session& session_;
  std::optional<std::pair<NodeLife, bool>> may_claim_;  // asked once a batch
};

class Bury {
 public:
  Bury(Sheet& sheet, Verdicts& verdicts) : sheet_(sheet), verdicts_(verdicts) {}
  BuryResult apply(const BuryOp& op);

 private:
  bool still_stands(const BuryOp& op);
  void doubt_deliveries(const BuryOp& op);
  void take_back_runs(const BuryOp& op, const std::vector<JobId>& runs, BuryResult& result);
  void close_holders(const BuryOp& op, const std::vector<JobId>& jobs, BuryResult& result);

  Sheet& sheet_;
  Verdicts& verdicts_;
};

}  // namespace quell::storage::postgres
