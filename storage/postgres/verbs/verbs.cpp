#include "storage/postgres/verbs/verbs.hpp"

#include <algorithm>

#include "storage/durable.hpp"
#include "storage/fail_here.hpp"
#include "storage/postgres/connection/announce.hpp"
#include "storage/verbs.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query see_others{
    "node_others",
    "SELECT EXISTS (SELECT 1 FROM node WHERE NOT gone AND id <> ALL ($1::uuid[])),"
    " " QUELL_STANDBYS_AWAITED};

// Somebody is told that it is so. A mark that only holds jobs back is told when they are erased.
bool promises(const Batch& batch, const Outcome& out) {
  const auto is_final = [](const MarkedJob& job) { return job.open.empty(); };
  const auto has_final = [&](const auto& jobs) {
    return std::any_of(jobs.begin(), jobs.end(), is_final);
  };
  const auto is_promise = [](VerbTraits traits) { return traits.word != VerbWord::plain; };
  return count_ops(batch, is_promise) > batch.marks.size() ||
         std::any_of(out.marks.begin(), out.marks.end(), has_final);
}

}  // namespace

Outcome Verbs::apply(const Batch& batch, bool careful, bool notify) {
  session_.forget();
  session_.careful = careful;
  rows_.forget();
  fast_finish_.forget();
  nodes_.forget();
  session_.outbox.begin(batch);
  const bool asks = standbys_.awaited() && is_asked_how_durable(batch);
  try {
    fail_here(batch, Moment::before);
    Transaction transaction(session_.db, "READ COMMITTED");
    Outcome out = in_order(batch);
    session_.write_tally();
    for (const NodeLife& own : out.starts)
      if (own.life > 0) neighbours_.add_own(own.node);
    out.news_told = notify && (batch.tells_news || !batch.hints.empty());
    const bool tells = notify && (neighbours_.others() || out.news_told);
    fail_here(batch, Moment::within);
    const std::string outbox = tells ? announcement(batch, out) : std::string();
    const bool notes = asks || promises(batch, out) || history_.is_due(writer_);
    out.durability = commit(transaction, outbox, notes, asks);
    session_.committed();
    fail_here(batch, Moment::after);
    return out;
  } catch (const Fault&) {
    session_.rolled_back();
    throw;
  }
}

// `asks` only with `notes`.
Durability Verbs::commit(Transaction& transaction, const std::string& outbox, bool notes,
                         bool asks) {
  if (!notes) {
    transaction.commit(outbox);
    return Outcome{}.durability;
  }
  if (asks) session_.db.write(leave_a_trace);
  session_.db.write(note_commit);
  const Rows answer = transaction.commit(outbox, asks ? ask_standbys : noted_commit);
  if (auto made = commit_in(answer[0].view(0), session_.place))
    history_.note(writer_, std::move(*made));
  return asks ? durability_of(session_.db, answer) : Outcome{}.durability;
}

Outcome Verbs::in_order(const Batch& batch) {
  Outcome out;
  fast_ = !session_.careful && FastFinish::fits(batch);
  if (!fast_) {
    WorkingSet::Wanted wanted;
    Mark::want(batch, wanted);
    Verdicts::want(batch, wanted);
    Steer::want(batch, wanted);
    Flush::want(batch, wanted);
    Finish::want(batch, wanted);
    Enqueue::want(batch, wanted);
    rows_.load(std::move(wanted));
  }
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) run(batch.verb, out.verb);
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) run(batch.verb);
#include "storage/spec/verbs.def"
  out.has_deliveries = session_.outbox.has_deliveries();
  return out;
}

void Verbs::upkeep(Instant now) {
  Transaction transaction(session_.db, "READ COMMITTED");
  documents_.forget(now);
  ArrayLiteral own;
  for (const NodeId& node : neighbours_.own()) own.add(node);
  const Rows seen = session_.db.run(see_others, own);
  const bool others = seen[0].yes(0), awaited = seen[0].yes(1);
  transaction.commit();
  neighbours_.set_others(others);
  standbys_.set_awaited(awaited);
}

}  // namespace quell::storage::postgres
