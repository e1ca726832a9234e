#include "storage/sqlite/verbs/node.hpp"

namespace quell::storage::sqlite {

Nodes::Nodes(SqliteSession& session)
    : start_(session.db,
             "INSERT INTO node (id, life, beat, gone, info, birth) VALUES (?, 1, 0, 0, ?, ?3)"
             " ON CONFLICT DO UPDATE SET life = life + 1, beat = 0, gone = 0, info = excluded.info,"
             " birth = excluded.birth"
             " WHERE ?3 = '' OR instr(?4, char(10) || node.birth || char(10)) > 0 RETURNING life"),
      beat_(session.db,
            "UPDATE node SET beat = beat + 1, gone = ?, info = iif(?2 = '', info, ?2)"
            " WHERE id = ? AND life = ? AND gone = 0"),
      orders_(session.db,
              "SELECT job, what, ref, epoch FROM holder WHERE node = ? AND life = ?"
              " AND verdict IS NULL ORDER BY job, what, ref"),
      wishes_(session.db,
              "SELECT job, epoch FROM live WHERE place = 2 AND node = ? AND life = ? AND want = 1"
              " ORDER BY job"),
      running_(session.db, "SELECT count(*) FROM live WHERE place = 2 AND node = ? AND life = ?"),
      role_(session.db, "SELECT node, life, beat FROM lease WHERE role = ?"),
      take_role_(session.db,
                 "INSERT INTO lease (role, node, life, beat) VALUES (?, ?, ?, ?) ON CONFLICT DO"
                 " UPDATE SET node = excluded.node, life = excluded.life, beat = excluded.beat"),
      confirmed_(session.db, "DELETE FROM doubt WHERE node = ? AND life = ?") {}

NodeLife Nodes::apply(const StartNodeOp& op) {
  NodeLife owner{op.node, 0};
  std::string earlier = "\n";
  for (const std::string& birth : op.earlier) earlier += birth + "\n";
  for (Rows row = start_.rows(op.node, op.info, op.birth, earlier); row.next();)
    owner.life = row.big(0);
  return owner;
}

BeatResult Nodes::apply(const BeatOp& op) {
  BeatResult result;
  const NodeLife& owner = op.owner;
  if (op.goodbye) confirmed_.run(owner.node, owner.life);
  if (beat_.run(op.goodbye, op.info, owner.node, owner.life) == 0) return result;
  result.alive = true;
  for (Rows row = orders_.rows(owner.node, owner.life); row.next();)
    result.orders.emplace_back(row.uuid(0), Holder{static_cast<HolderKind>(row.number(1)),
                                                   row.uuid(2), owner, row.number(3)});
  for (Rows row = wishes_.rows(owner.node, owner.life); row.next();)
    result.cancel_requests.emplace_back(row.uuid(0), row.number(1));
  for (Rows row = running_.rows(owner.node, owner.life); row.next();) result.running = row.big(0);
  return result;
}

RoleResult Nodes::apply(const RoleOp& op) {
  RoleResult now{op.owner, 1};
  {
    Rows row = role_.rows(op.role);
    if (row.next()) {
      now = RoleResult{NodeLife{row.uuid(0), row.big(1)}, row.big(2)};
      const bool stands_still =
          op.seen && op.seen->first == now.holder && op.seen->second == now.beat;
      if (now.holder != op.owner && !stands_still) return now;
      now = RoleResult{op.owner, now.beat + 1};
    }
  }
  take_role_.run(op.role, now.holder.node, now.holder.life, now.beat);
  return now;
}

}  // namespace quell::storage::sqlite
