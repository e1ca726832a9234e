#include "storage/postgres/verbs/node.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query start_node{
    "node_start",
    "INSERT INTO node (id, life, beat, gone, info, birth)"
    " VALUES ($1::uuid, 1, 0, false, $2::text, $3::text)"
    " ON CONFLICT (id) DO UPDATE SET life = node.life + 1, beat = 0, gone = false,"
    " info = excluded.info, birth = excluded.birth"
    " WHERE $3::text = '' OR node.birth = ANY($4::text[]) RETURNING life"};
constexpr Query beat_node{"node_beat",
                          "UPDATE node SET beat = beat + 1, gone = $1::bool,"
                          " info = CASE WHEN $2::text = '' THEN info ELSE $2::text END"
                          " WHERE id = $3::uuid AND life = $4::bigint AND NOT gone"};
constexpr Query read_orders{
    "node_orders",
    "SELECT job, what, ref, epoch FROM holder WHERE node = $1::uuid AND life = $2::bigint"
    " AND verdict IS NULL ORDER BY job, what, ref"};
constexpr Query read_cancels{
    "node_cancels",
    "SELECT job, epoch FROM live WHERE place = 2 AND node = $1::uuid AND life = $2::bigint"
    " AND want = 1 ORDER BY job"};
constexpr Query count_runs_of_node{
    "node_running",
    "SELECT count(*) FROM live WHERE place = 2 AND node = $1::uuid AND life = $2::bigint"};
constexpr Query end_doubts{"node_confirmed",
                           "DELETE FROM doubt WHERE node = $1::uuid AND life = $2::bigint"};
constexpr Query lock_node{"node_lock", "SELECT life, gone FROM node WHERE id = $1::uuid FOR SHARE"};
constexpr Query lock_role{"role_lock",
                          "SELECT node, life, beat FROM lease WHERE role = $1::text FOR UPDATE"};
constexpr Query take_free_role{
    "role_take",
    "INSERT INTO lease (role, node, life, beat) VALUES ($1::text, $2::uuid, $3::bigint, 1)"
    " ON CONFLICT (role) DO NOTHING"};
constexpr Query move_role{
    "role_move",
    "UPDATE lease SET node = $2::uuid, life = $3::bigint, beat = $4::bigint WHERE role = $1::text"};

}  // namespace

Orders orders_for(Connection& db, const NodeLife& owner) {
  Orders orders;
  const Rows holders = db.run(read_orders, owner.node, owner.life);
  for (const Row row : holders)
    orders.holders.emplace_back(row.uuid(0), Holder{static_cast<HolderKind>(row.number(1)),
                                                    row.uuid(2), owner, row.number(3)});
  const Rows cancel_requests = db.run(read_cancels, owner.node, owner.life);
  for (const Row row : cancel_requests)
    orders.cancel_requests.emplace_back(row.uuid(0), row.number(1));
  return orders;
}

NodeLife Nodes::apply(const StartNodeOp& op) {
  ArrayLiteral earlier;
  for (const std::string& birth : op.earlier) earlier.add(std::string_view(birth));
  const Rows rows =
      session_.db.run(start_node, op.node, shown_text(op.info), shown_text(op.birth), earlier);
  return NodeLife{op.node, rows.empty() ? 0 : rows[0].big(0)};
}

BeatResult Nodes::apply(const BeatOp& op) {
  BeatResult result;
  const NodeLife& owner = op.owner;
  if (op.goodbye) session_.db.write(end_doubts, owner.node, owner.life);
  const std::string info = shown_text(op.info);
  if (session_.db.run(beat_node, op.goodbye, info, owner.node, owner.life).touched() == 0)
    return result;
  result.alive = true;
  Orders orders = orders_for(session_.db, owner);
  result.orders = std::move(orders.holders);
  result.cancel_requests = std::move(orders.cancel_requests);
  result.running = session_.db.run(count_runs_of_node, owner.node, owner.life)[0].big(0);
  return result;
}

RoleResult Nodes::apply(const RoleOp& op) {
  while (true) {
    const Rows rows = session_.db.run(lock_role, op.role);
    if (rows.empty()) {
      const NodeLife& owner = op.owner;
      if (session_.db.run(take_free_role, op.role, owner.node, owner.life).touched() == 1)
        return RoleResult{owner, 1};
      continue;  // somebody was faster
    }
    RoleResult now{NodeLife{rows[0].uuid(0), rows[0].big(1)}, rows[0].big(2)};
    const bool stands_still =
        op.seen && op.seen->first == now.holder && op.seen->second == now.beat;
    if (now.holder != op.owner && !stands_still) return now;
    now = RoleResult{op.owner, now.beat + 1};
    session_.db.write(move_role, op.role, now.holder.node, now.holder.life, now.beat);
    return now;
  }
}

bool Nodes::may_claim(const NodeLife& owner) {
  if (may_claim_ && may_claim_->first == owner) return may_claim_->second;
  const Rows rows = session_.db.run(lock_node, owner.node);
  const bool may = rows.empty() || rows[0].big(0) < owner.life ||
                   (rows[0].big(0) == owner.life && !rows[0].yes(1));
  may_claim_ = {owner, may};
  return may;
}

}  // namespace quell::storage::postgres
