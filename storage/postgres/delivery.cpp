#include "storage/postgres/delivery.hpp"

#include <algorithm>

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
    " SELECT t.id, t.job, t.endpoint, t.event, t.body, t.tries, p.meta FROM t"
    " LEFT JOIN payload p ON p.job = t.job AND t.endpoint = '' ORDER BY t.due, t.id"};

}  // namespace

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
