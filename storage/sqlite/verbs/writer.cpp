#include "storage/sqlite/verbs/writer.hpp"

#include <sqlite3.h>

#include "storage/apply_by_part.hpp"
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

  Outcome all(const Batch& batch) {
    Outcome out;
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) run(batch.verb, out.verb);
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) run(batch.verb);
#include "storage/spec/verbs.def"
    out.has_deliveries = session_.outbox.has_deliveries();
    return out;
  }

  // A row of spec/verbs.def is the work of one of these, unless it is named below.
  template <class Op, class Answer>
  void run(const std::vector<Op>& ops, std::vector<Answer>& answers) {
    apply_by_part(ops, answers, mark_, verdicts_, tickets_, steer_, flush_, finish_, deliveries_,
                  nodes_, recover_, documents_, expire_, restore_, enqueue_, schedules_, claim_);
  }
  void run(const std::vector<HintOp>&) {}   // nobody else listens
  void run(const std::vector<FenceOp>&) {}  // each commit of this store is on its disk
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
  void run(const std::vector<AuditOp>& ops) {
    session_.audit.write();
    for (const AuditOp& op : ops) session_.audit.add(op);
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
  Schedules schedules_{session_, steer_, enqueue_, deliveries_};
  Claim claim_{session_};
};

}  // namespace

std::unique_ptr<Writer> make_writer(const std::string& path, Checkpointer& checkpointer) {
  return std::make_unique<SqliteWriter>(path, checkpointer);
}

}  // namespace quell::storage::sqlite
