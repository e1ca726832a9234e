// All verbs on one connection, in the order of a batch.
#pragma once

#include "storage/apply_by_part.hpp"
#include "storage/postgres/connection/shared_state.hpp"
#include "storage/postgres/verbs/claim.hpp"
#include "storage/postgres/verbs/delivery.hpp"
#include "storage/postgres/verbs/document.hpp"
#include "storage/postgres/verbs/enqueue.hpp"
#include "storage/postgres/verbs/expire.hpp"
#include "storage/postgres/verbs/fast_finish.hpp"
#include "storage/postgres/verbs/finish.hpp"
#include "storage/postgres/verbs/flush.hpp"
#include "storage/postgres/verbs/mark.hpp"
#include "storage/postgres/verbs/node.hpp"
#include "storage/postgres/verbs/restore.hpp"
#include "storage/postgres/verbs/schedule.hpp"
#include "storage/postgres/verbs/steer.hpp"
#include "storage/postgres/verbs/verdict.hpp"

namespace quell::storage::postgres {

class Verbs {
 public:
  Verbs(const Address& address, SharedState& common, std::size_t writer)
      : session_(address, Connection::Use::write, common.cursors, common.history),
        neighbours_(common.neighbours),
        standbys_(common.standbys),
        history_(common.history),
        writer_(writer) {
    standbys_.set_awaited(session_.standbys_awaited);
  }
  // One transaction. `careful`: nothing is assumed that could be looked up.
  Outcome apply(const Batch& batch, bool careful, bool notify);
  void upkeep(Instant now);

 private:
  Outcome in_order(const Batch& batch);
  Durability commit(Transaction& transaction, const std::string& outbox, bool notes, bool asks);

  // A row of spec/verbs.def is the work of one of these, unless it is named below.
  template <class Op, class Answer>
  void run(const std::vector<Op>& ops, std::vector<Answer>& answers) {
    apply_by_part(ops, answers, mark_, verdicts_, steer_, flush_, nodes_, deliveries_, documents_,
                  expire_, restore_, enqueue_, schedules_, claim_);
  }
  void run(const std::vector<FinishOp>& ops, std::vector<FinishResult>& answers) {
    if (fast_) {
      if (!ops.empty()) answers = fast_finish_.apply(ops);
    } else {
      apply_each(ops, answers, finish_);
      rows_.settle();
    }
  }
  void run(const std::vector<RecoverOp>& ops, std::vector<RecoverResult>& answers) {
    apply_each(ops, answers, recover_);
    rows_.settle();
  }
  void run(const std::vector<ClaimOp>& ops, std::vector<std::vector<ClaimedJob>>& answers) {
    claim_.begin(ops);
    apply_each(ops, answers, claim_);
  }
  void run(const std::vector<HintOp>&) {}   // see announcement()
  void run(const std::vector<FenceOp>&) {}  // the commit itself is asked how durable it is
  void run(const std::vector<CallOp>& ops) {
    session_.outbox.write(deliveries_);
    for (const CallOp& op : ops) {
      documents_.apply(op);
      session_.outbox.call_over(op, deliveries_);
    }
  }
  void run(const std::vector<DocOp>& ops, std::vector<DocResult>& answers) {
    for (const DocOp& op : ops)
      answers.push_back(is_refused_with(ops, answers) ? DocResult{} : documents_.apply(op));
  }
  void run(const std::vector<AuditOp>& ops) { session_.audit.write(session_.db, ops); }

  bool fast_ = false;  // the batch at hand is of ends alone, and usual

  PgSession session_;
  Neighbours& neighbours_;
  Standbys& standbys_;
  History& history_;
  std::size_t writer_;
  WorkingSet rows_{session_};
  Mark mark_{rows_};
  Verdicts verdicts_{rows_};
  Steer steer_{rows_};
  Flush flush_{rows_};
  Finish finish_{rows_};
  FastFinish fast_finish_{session_};
  Nodes nodes_{session_};
  Recover recover_{rows_, verdicts_};
  Deliveries deliveries_{session_, nodes_, rows_};
  Documents documents_{session_};
  Expire expire_{session_};
  Restore restore_{session_};
  Enqueue enqueue_{rows_};
  Schedules schedules_{rows_, steer_, enqueue_, deliveries_};
  Claim claim_{session_, nodes_};
};

}  // namespace quell::storage::postgres
