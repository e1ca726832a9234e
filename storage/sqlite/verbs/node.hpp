// Nodes, their lives and beats, what dead lives leave behind, and who leads which role.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"
#include "storage/sqlite/verbs/verdict.hpp"

namespace quell::storage::sqlite {

class Nodes {
 public:
  explicit Nodes(SqliteSession& session);
  NodeLife apply(const StartNodeOp& op);
  BeatResult apply(const BeatOp& op);
  RoleResult apply(const RoleOp& op);

 private:
  Statement start_, beat_, orders_, wishes_, running_, role_, take_role_, confirmed_;
};

class Recover {
 public:
  Recover(SqliteSession& session, Verdicts& verdicts);
  RecoverResult apply(const RecoverOp& op);

 private:
  void take_back_runs(const RecoverOp& op, RecoverResult& result);
  int tell(const RecoverOp& op, JobId job, const std::string& project, int has, JobState to);
  void doubt_deliveries(const RecoverOp& op);
  void close_holders(const RecoverOp& op, RecoverResult& result);

  SqliteSession& session_;
  Verdicts& verdicts_;
  Statement watched_, runs_, end_, delete_live_, lose_, has_, error_, doubt_, flying_, job_doubted_,
      live_doubted_, deliveries_, proven_, holders_, gone_;
};

}  // namespace quell::storage::sqlite
