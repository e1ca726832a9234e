#include "storage/postgres/verbs.hpp"

#include "storage/fail_here.hpp"
#include "storage/postgres/announce.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query see_others{
    "node_others", "SELECT EXISTS (SELECT 1 FROM node WHERE NOT gone AND id <> ALL ($1::uuid[]))"};

template <class Verb, class Ops, class Answers>
void each(Verb& verb, const Ops& ops, Answers& answers) {
  answers.reserve(ops.size());
  for (const auto& op : ops) answers.push_back(verb.apply(op));
}

}  // namespace

Outcome Verbs::apply(const Batch& batch, bool careful, bool notify) {
  session_.forget();
  session_.careful = careful;
  sheet_.forget();
  fast_finish_.forget();
  nodes_.forget();
  session_.news.begin(batch);
  try {
    fail_here(batch, Moment::before);
    Transaction transaction(session_.db, "READ COMMITTED");
    Outcome out = in_order(batch, careful);
    session_.write_tally();
    for (const NodeLife& own : out.starts) neighbours_.add_own(own.node);
    const bool tells = notify && neighbours_.others();
    fail_here(batch, Moment::within);
    transaction.commit(tells ? announcement(batch, out) : std::string());
    session_.committed();
    fail_here(batch, Moment::after);
    return out;
  } catch (const Fault&) {
    session_.rolled_back();
    throw;
  }
}

Outcome Verbs::in_order(const Batch& batch, bool careful) {
  Outcome out;
  about_jobs(batch, careful, out);
  session_.news.write(deliveries_);
  for (const auto& op : batch.calls) {
    documents_.apply(op);
    session_.news.call_over(op, deliveries_);
  }
  each(documents_, batch.docs, out.docs);
  each(deliveries_, batch.notices, out.notices);
  each(deliveries_, batch.redeliveries, out.redeliveries);
  each(claim_, batch.dues, out.dues);
  if (!batch.enqueues.empty()) out.enqueues = enqueue_.apply(batch.enqueues, careful);
  claim_.begin(batch.claims);
  each(claim_, batch.claims, out.claims);
  each(deliveries_, batch.delivery_claims, out.delivery_claims);
  // Last, although they stand before the dues: nothing between looks at them, and a number that was
  // drawn by a transaction that then fails is a gap in the audit.
  session_.audit.write(session_.db, batch.audits);
  each(documents_, batch.seals, out.seals);
  out.told = session_.news.told();
  return out;
}

void Verbs::about_jobs(const Batch& batch, bool careful, Outcome& out) {
  const bool fast = !careful && FastFinish::fits(batch);
  if (fast) {
    if (!batch.finishes.empty()) out.finishes = fast_finish_.apply(batch.finishes);
  } else {
    Sheet::Wanted wanted;
    Mark::want(batch, wanted);
    Verdicts::want(batch, wanted);
    Steer::want(batch, wanted);
    Flush::want(batch, wanted);
    Finish::want(batch, wanted);
    sheet_.load(std::move(wanted));
    each(mark_, batch.marks, out.marks);
    each(verdicts_, batch.verdicts, out.verdicts);
    each(verdicts_, batch.tickets, out.tickets);
    each(verdicts_, batch.forces, out.forces);
    each(steer_, batch.steers, out.steers);
    each(flush_, batch.flushes, out.flushes);
    each(finish_, batch.finishes, out.finishes);
    sheet_.settle();
  }
  if (!batch.delivery_ends.empty()) out.delivery_ends = deliveries_.apply(batch.delivery_ends);
  each(nodes_, batch.starts, out.starts);
  each(nodes_, batch.beats, out.beats);
  each(bury_, batch.burials, out.burials);
  sheet_.settle();
  each(nodes_, batch.roles, out.roles);
}

void Verbs::tend(Instant now) {
  Transaction transaction(session_.db, "READ COMMITTED");
  documents_.forget(now);
  ArrayLiteral own;
  for (const NodeId& node : neighbours_.own()) own.add(node);
  const bool others = session_.db.run(see_others, own)[0].yes(0);
  transaction.commit();
  neighbours_.set_others(others);
}

}  // namespace quell::storage::postgres
