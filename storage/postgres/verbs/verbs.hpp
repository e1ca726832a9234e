// All verbs on one connection, in the order of a batch.
#pragma once

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
  Outcome in_order(const Batch& batch, bool careful);
  Durability commit(Transaction& transaction, const std::string& outbox, bool notes, bool asks);

  template <class Verb>
  static void each(Verb& verb, const auto& ops, auto& answers) {
    answers.reserve(ops.size());
    for (const auto& op : ops) answers.push_back(verb.apply(op));
  }

  // One function for each row of spec/verbs.def; without it the store does not compile.
  void do_marks(const auto& ops, auto& answers) { each(mark_, ops, answers); }
  void do_verdicts(const auto& ops, auto& answers) { each(verdicts_, ops, answers); }
  void do_tickets(const auto& ops, auto& answers) { each(verdicts_, ops, answers); }
  void do_forces(const auto& ops, auto& answers) { each(verdicts_, ops, answers); }
  void do_steers(const auto& ops, auto& answers) { each(steer_, ops, answers); }
  void do_flushes(const auto& ops, auto& answers) { each(flush_, ops, answers); }
  void do_finishes(const auto& ops, auto& answers) {
    if (fast_) {
      if (!ops.empty()) answers = fast_finish_.apply(ops);
    } else {
      each(finish_, ops, answers);
      rows_.settle();
    }
  }
  void do_delivery_ends(const auto& ops, auto& answers) {
    if (!ops.empty()) answers = deliveries_.apply(ops);
  }
  void do_starts(const auto& ops, auto& answers) { each(nodes_, ops, answers); }
  void do_beats(const auto& ops, auto& answers) { each(nodes_, ops, answers); }
  void do_recoveries(const auto& ops, auto& answers) {
    each(recover_, ops, answers);
    rows_.settle();
  }
  void do_roles(const auto& ops, auto& answers) { each(nodes_, ops, answers); }
  void do_task_deletes(const auto& ops, auto& answers) { each(schedules_, ops, answers); }
  void do_task_words(const auto& ops, auto& answers) { each(schedules_, ops, answers); }
  void do_task_erases(const auto& ops, auto& answers) { each(schedules_, ops, answers); }
  void do_schedule_puts(const auto& ops, auto& answers) { each(schedules_, ops, answers); }
  void do_fires(const auto& ops, auto& answers) {
    if (!ops.empty()) answers = schedules_.apply(ops, careful_);
  }
  void do_fences(const auto&) {}  // the commit itself is asked how durable it is
  void do_calls(const auto& ops) {
    session_.outbox.write(deliveries_);
    for (const auto& op : ops) {
      documents_.apply(op);
      session_.outbox.call_over(op, deliveries_);
    }
  }
  void do_docs(const auto& ops, auto& answers) { each(documents_, ops, answers); }
  void do_notices(const auto& ops, auto& answers) { each(deliveries_, ops, answers); }
  void do_redeliveries(const auto& ops, auto& answers) { each(deliveries_, ops, answers); }
  void do_dues(const auto& ops, auto& answers) { each(claim_, ops, answers); }
  void do_expiries(const auto& ops, auto& answers) { each(expire_, ops, answers); }
  void do_restores(const auto& ops, auto& answers) {
    if (!ops.empty()) answers = restore_.apply(ops);
  }
  void do_enqueues(const auto& ops, auto& answers) {
    if (!ops.empty()) answers = enqueue_.apply(ops, careful_);
  }
  void do_claims(const auto& ops, auto& answers) {
    claim_.begin(ops);
    each(claim_, ops, answers);
  }
  void do_delivery_claims(const auto& ops, auto& answers) { each(deliveries_, ops, answers); }
  void do_audits(const auto& ops) { session_.audit.write(session_.db, ops); }
  void do_seals(const auto& ops, auto& answers) { each(documents_, ops, answers); }

  bool careful_ = false, fast_ = false;  // of the batch at hand

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
  Enqueue enqueue_{session_};
  Schedules schedules_{session_, enqueue_, deliveries_};
  Claim claim_{session_, nodes_};
};

}  // namespace quell::storage::postgres
