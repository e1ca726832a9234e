#include "storage/postgres/verbs/delivery.hpp"

#include <algorithm>

#include "storage/postgres/working_set/by_key.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query end_delivery{
    "delivery_end",
    "UPDATE delivery SET place = $1::smallint, due = $2::bigint, tries = tries + 1,"
    " log = $3::bytea, node = NULL, life = NULL"
    " WHERE id = $4::uuid AND place = 1 AND node = $5::uuid AND life = $6::bigint"};
constexpr Query claim_deliveries{
    "delivery_claim",
    "WITH c AS MATERIALIZED (SELECT id FROM delivery WHERE place = 0 AND due <= $1::bigint"
    " ORDER BY due, id LIMIT $2::int FOR UPDATE SKIP LOCKED), t AS ("
    " UPDATE delivery d SET place = 1, node = $3::uuid, life = $4::bigint FROM c WHERE d.id = c.id"
    " RETURNING d.id, d.job, d.endpoint, d.event, d.body, d.tries, d.due)"
    " SELECT t.id, t.job, t.endpoint, t.event, t.body, t.tries, p.meta FROM t" QUELL_BY_KEY(
        "payload", "job = t.job AND t.endpoint = ''", "p") " ORDER BY t.due, t.id"};

constexpr Query find_notices{"notices_find",
                             "SELECT id, place, body FROM delivery WHERE id = ANY($1::uuid[])"
                             " ORDER BY id FOR UPDATE"};
constexpr Query add_notices{
    "notices_add",
    "INSERT INTO delivery (id, job, endpoint, event, body, due, tries, place, log)"
    " SELECT id, '00000000-0000-0000-0000-000000000000', endpoint, event, body, due, 0, 0, ''"
    " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])"
    " f(id, endpoint, event, body, due) ON CONFLICT DO NOTHING"};
constexpr Query change_notice{"notice_change",
                              "UPDATE delivery SET body = $1::bytea, due = $2::bigint"
                              " WHERE id = $3::uuid AND place = 0"};
constexpr Query own_notice{"notice_own",
                           "UPDATE job SET has = has | $1::int WHERE id = $2::uuid"
                           " AND state = $3::smallint"};
constexpr Query add_notice{
    "notice_add",
    "INSERT INTO delivery (id, job, endpoint, event, body, due, tries, place, log)"
    " VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::bytea, $6::bigint, 0, 0, '')"
    " ON CONFLICT DO NOTHING"};
// The job first, as everywhere: a mark that comes meanwhile waits, and then finds what waits again.
constexpr Query owner_of{"redeliver_owner", "SELECT job FROM delivery WHERE id = $1::uuid"};
constexpr Query deliver_again{
    "redeliver",
    "UPDATE delivery SET place = 0, due = $1::bigint, tries = 0 WHERE id = $2::uuid AND place = 2"};

}  // namespace

bool Deliveries::apply(const NoticeOp& op) {
  if (!op.job.is_nil() &&
      (!is_final(op.state) ||
       session_.db.run(own_notice, int{has_deliveries}, op.job, stored(op.state)).touched() != 1))
    return false;
  for (const NewDelivery& one : op.deliveries)
    session_.db.write(add_notice, one.id, op.job, one.endpoint, one.event, Bytes{one.body},
                      one.due);
  return true;
}

std::map<Uuid, NoticeRows::Known> Deliveries::find(const std::vector<Uuid>& ids) {
  ArrayLiteral some;
  for (const Uuid& id : ids) some.add(id);
  std::map<Uuid, Known> found;
  if (some.empty()) return found;
  const Rows rows = session_.db.run(find_notices, some);
  for (const Row row : rows)
    found[row.uuid(0)] = {row.number(1) == DeliveryPlace::waiting, row.bytes(2)};
  return found;
}

void Deliveries::add(const std::vector<NewDelivery>& notices) {
  ArrayLiteral id, endpoint, event, body, due;
  for (const NewDelivery& one : notices) {
    id.add(one.id);
    endpoint.add(one.endpoint);
    event.add(one.event);
    body.add(Bytes{one.body});
    due.add(one.due);
  }
  session_.db.write(add_notices, id, endpoint, event, body, due);
}

void Deliveries::change(Uuid id, const std::string& body, Instant due) {
  session_.db.write(change_notice, Bytes{body}, due, id);
}

bool Deliveries::apply(const RedeliverOp& op) {
  const Rows owner = session_.db.run(owner_of, op.id);
  if (owner.empty()) return false;
  const JobId job = owner[0].uuid(0);
  if (!job.is_nil()) {
    WorkingSet::Wanted wanted;
    wanted.jobs = {job};
    rows_.load(std::move(wanted));
    if (const JobEntry& entry = rows_.at(job); !entry.exists || is_leaving(entry.state))
      return false;
  }
  return session_.db.run(deliver_again, op.now, op.id).touched() == 1;
}

// In the order of their ids, so that two nodes do not wait for each other in a circle.
std::vector<bool> Deliveries::apply(const std::vector<DeliveryEndOp>& ops) {
  std::vector<std::size_t> order(ops.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ops[a].id < ops[b].id; });
  std::vector<bool> ended(ops.size());
  for (const std::size_t i : order) {
    const DeliveryEndOp& op = ops[i];
    const int place = op.retry_at ? DeliveryPlace::waiting : DeliveryPlace::ended;
    ended[i] = session_.db
                   .run(end_delivery, place, op.retry_at, Bytes{op.log}, op.id, op.owner.node,
                        op.owner.life)
                   .touched() == 1;
  }
  return ended;
}

std::vector<ClaimedDelivery> Deliveries::apply(const DeliveryClaimOp& op) {
  std::vector<ClaimedDelivery> claimed;
  if (op.limit <= 0 || !nodes_.may_claim(op.owner)) return claimed;
  const Rows rows =
      session_.db.run(claim_deliveries, op.now, op.limit, op.owner.node, op.owner.life);
  for (const Row row : rows) {
    ClaimedDelivery& one = claimed.emplace_back();
    one.id = row.uuid(0);
    one.job = row.uuid(1);
    one.endpoint = row.text(2);
    one.event = row.text(3);
    one.body = row.bytes(4);
    one.tries = row.number(5);
    if (one.endpoint.empty()) one.url = options_from_json(row.text(6)).webhook;
  }
  return claimed;
}

}  // namespace quell::storage::postgres
