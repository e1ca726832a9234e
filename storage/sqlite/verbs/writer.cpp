#include "storage/sqlite/verbs/writer.hpp"

#include <sqlite3.h>

#include "storage/fail_here.hpp"
#include "storage/replay.hpp"
#include "storage/sqlite/verbs/claim.hpp"
#include "storage/sqlite/verbs/delivery.hpp"
#include "storage/sqlite/verbs/document.hpp"
#include "storage/sqlite/verbs/enqueue.hpp"
#include "storage/sqlite/verbs/expire.hpp"
#include "storage/sqlite/verbs/finish.hpp"
#include "storage/sqlite/verbs/flush.hpp"
#include "storage/sqlite/verbs/mark.hpp"
#include "storage/sqlite/verbs/node.hpp"
#include "storage/sqlite/verbs/restore.hpp"
#include "storage/sqlite/verbs/schedule.hpp"
#include "storage/sqlite/verbs/steer.hpp"
#include "storage/sqlite/verbs/verdict.hpp"

namespace quell::storage::sqlite {

namespace {

// A log this long was written against a checkpoint that never got to its end: the writer itself
// must pause and let one finish, or the log would grow for as long as the load lasts.
constexpr int too_many_pages = 16'384;  // 64 MB

class SqliteWriter final : public Writer {
 public:
  SqliteWriter(const std::string& path, Checkpointer& checkpointer)
      : db_(path, Access::write), checkpointer_(checkpointer) {
    sqlite3_wal_hook(
        db_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<SqliteWriter*>(self)->log_pages_ = pages;
          return SQLITE_OK;
        },
        this);
  }

  Result<Outcome> apply(const Batch& batch) override {
    try {
      try {
        return once(batch);
      } catch (const Fault& fault) {
        if (!fault.is_data()) throw;
      }
      return one_by_one(batch, [this](const Batch& single) { return once(single); });
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  Result<void> upkeep(Instant now) override {
    try {
      Transaction transaction(db_, Transaction::Kind::write);
      documents_.forget(now);
      commit(transaction);
    } catch (const Fault& fault) {
      return fault.error();
    }
    return {};
  }

 private:
  Outcome once(const Batch& batch) {
    session_.tally.forget();
    session_.audit.forget();
    session_.outbox.begin(batch);
    fail_here(batch, Moment::before);
    Transaction transaction(db_, Transaction::Kind::write);
    Outcome out = all(batch);
    session_.tally.write();
    fail_here(batch, Moment::within);
    commit(transaction);
    fail_here(batch, Moment::after);
    return out;
  }

  void commit(Transaction& transaction) {
    log_pages_ = 0;
    transaction.commit();
    if (log_pages_ > 0) checkpointer_.committed(log_pages_);
    if (log_pages_ > too_many_pages) checkpoint(db_);
  }

  template <class Verb, class Ops, class Answers>
  static void each(Verb& verb, const Ops& ops, Answers& answers) {
    answers.reserve(ops.size());
    for (const auto& op : ops) answers.push_back(verb.apply(op));
  }

  // One function for each row of spec/verbs.def; without it the store does not compile.
  Outcome all(const Batch& batch) {
    Outcome out;
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) \
  do_##verb(batch.verb, out.verb);
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) do_##verb(batch.verb);
#include "storage/spec/verbs.def"
    out.has_deliveries = session_.outbox.has_deliveries();
    return out;
  }

  void do_marks(const auto& ops, auto& answers) {
    each(mark_, ops, answers);
  }
  void do_verdicts(const auto& ops, auto& answers) {
    each(verdicts_, ops, answers);
  }
  void do_tickets(const auto& ops, auto& answers) {
    for (const auto& op : ops) answers.push_back(tickets_.note(op));
  }
  void do_forces(const auto& ops, auto& answers) {
    each(verdicts_, ops, answers);
  }
  void do_steers(const auto& ops, auto& answers) {
    each(steer_, ops, answers);
  }
  void do_flushes(const auto& ops, auto& answers) {
    each(flush_, ops, answers);
  }
  void do_finishes(const auto& ops, auto& answers) {
    each(finish_, ops, answers);
  }
  void do_delivery_ends(const auto& ops, auto& answers) {
    each(deliveries_, ops, answers);
  }
  void do_starts(const auto& ops, auto& answers) {
    each(nodes_, ops, answers);
  }
  void do_beats(const auto& ops, auto& answers) {
    each(nodes_, ops, answers);
  }
  void do_recoveries(const auto& ops, auto& answers) {
    each(recover_, ops, answers);
  }
  void do_roles(const auto& ops, auto& answers) {
    each(nodes_, ops, answers);
  }
  void do_task_deletes(const auto& ops, auto& answers) {
    each(schedules_, ops, answers);
  }
  void do_task_words(const auto& ops, auto& answers) {
    each(schedules_, ops, answers);
  }
  void do_task_erases(const auto& ops, auto& answers) {
    each(schedules_, ops, answers);
  }
  void do_schedule_puts(const auto& ops, auto& answers) {
    each(schedules_, ops, answers);
  }
  void do_fires(const auto& ops, auto& answers) {
    each(schedules_, ops, answers);
  }
  void do_fences(const auto&) {}  // each commit of this store is on its disk
  void do_calls(const auto& ops) {
    session_.outbox.write(deliveries_);
    for (const auto& op : ops) {
      documents_.apply(op);
      session_.outbox.call_over(op, deliveries_);
    }
  }
  void do_docs(const auto& ops, auto& answers) {
    each(documents_, ops, answers);
  }
  void do_notices(const auto& ops, auto& answers) {
    each(deliveries_, ops, answers);
  }
  void do_redeliveries(const auto& ops, auto& answers) {
    each(deliveries_, ops, answers);
  }
  void do_dues(const auto& ops, auto& answers) {
    each(claim_, ops, answers);
  }
  void do_expiries(const auto& ops, auto& answers) {
    each(expire_, ops, answers);
  }
  void do_restores(const auto& ops, auto& answers) {
    each(restore_, ops, answers);
  }
  void do_enqueues(const auto& ops, auto& answers) {
    each(enqueue_, ops, answers);
  }
  void do_claims(const auto& ops, auto& answers) {
    each(claim_, ops, answers);
  }
  void do_delivery_claims(const auto& ops, auto& answers) {
    each(deliveries_, ops, answers);
  }
  void do_audits(const auto& ops) {
    session_.audit.write();
    for (const auto& op : ops) session_.audit.add(op);
  }
  void do_seals(const auto& ops, auto& answers) {
    each(documents_, ops, answers);
  }

  Connection db_;
  Checkpointer& checkpointer_;
  int log_pages_ = 0;
  SqliteSession session_{db_};
  Eraser eraser_{session_};
  Tickets tickets_{session_};
  Mark mark_{session_, eraser_, tickets_};
  Verdicts verdicts_{session_, eraser_, tickets_};
  Steer steer_{session_};
  Flush flush_{session_};
  Finish finish_{session_};
  Deliveries deliveries_{session_};
  Nodes nodes_{session_};
  Recover recover_{session_, verdicts_};
  Documents documents_{session_};
  Expire expire_{session_};
  Restore restore_{session_};
  Enqueue enqueue_{session_};
  Schedules schedules_{session_, enqueue_, deliveries_};
  Claim claim_{session_};
};

}  // namespace

std::unique_ptr<Writer> make_writer(const std::string& path, Checkpointer& checkpointer) {
  return std::make_unique<SqliteWriter>(path, checkpointer);
}

}  // namespace quell::storage::sqlite
