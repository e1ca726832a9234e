#include "storage/sqlite/writer.hpp"

#include <sqlite3.h>

#include "storage/fail_here.hpp"
#include "storage/replay.hpp"
#include "storage/sqlite/claim.hpp"
#include "storage/sqlite/delivery.hpp"
#include "storage/sqlite/document.hpp"
#include "storage/sqlite/enqueue.hpp"
#include "storage/sqlite/finish.hpp"
#include "storage/sqlite/flush.hpp"
#include "storage/sqlite/mark.hpp"
#include "storage/sqlite/node.hpp"
#include "storage/sqlite/steer.hpp"
#include "storage/sqlite/verdict.hpp"

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

  Result<void> tend(Instant now) override {
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
    session_.news.begin(batch);
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

  Outcome all(const Batch& batch) {
    Outcome out;
    each(mark_, batch.marks, out.marks);
    each(verdicts_, batch.verdicts, out.verdicts);
    for (const auto& op : batch.tickets) out.tickets.push_back(tickets_.note(op));
    each(verdicts_, batch.forces, out.forces);
    each(steer_, batch.steers, out.steers);
    each(flush_, batch.flushes, out.flushes);
    each(finish_, batch.finishes, out.finishes);
    each(deliveries_, batch.delivery_ends, out.delivery_ends);
    each(nodes_, batch.starts, out.starts);
    each(nodes_, batch.beats, out.beats);
    each(bury_, batch.burials, out.burials);
    each(nodes_, batch.roles, out.roles);
    session_.news.write(deliveries_);
    for (const auto& op : batch.calls) {
      documents_.apply(op);
      session_.news.call_over(op, deliveries_);
    }
    each(documents_, batch.docs, out.docs);
    each(deliveries_, batch.notices, out.notices);
    each(deliveries_, batch.redeliveries, out.redeliveries);
    session_.audit.write();
    for (const auto& op : batch.audits) session_.audit.add(op);
    each(documents_, batch.seals, out.seals);
    each(claim_, batch.dues, out.dues);
    each(enqueue_, batch.enqueues, out.enqueues);
    each(claim_, batch.claims, out.claims);
    each(deliveries_, batch.delivery_claims, out.delivery_claims);
    out.told = session_.news.told();
    return out;
  }

  Connection db_;
  Checkpointer& checkpointer_;
  int log_pages_ = 0;
  Session session_{db_};
  Eraser eraser_{session_};
  Tickets tickets_{session_};
  Mark mark_{session_, eraser_, tickets_};
  Verdicts verdicts_{session_, eraser_, tickets_};
  Steer steer_{session_};
  Flush flush_{session_};
  Finish finish_{session_};
  Deliveries deliveries_{session_};
  Nodes nodes_{session_};
  Bury bury_{session_, verdicts_};
  Documents documents_{session_};
  Enqueue enqueue_{session_};
  Claim claim_{session_};
};

}  // namespace

std::unique_ptr<Writer> make_writer(const std::string& path, Checkpointer& checkpointer) {
  return std::make_unique<SqliteWriter>(path, checkpointer);
}

}  // namespace quell::storage::sqlite
