#include "storage/sqlite/verbs/delivery.hpp"

namespace quell::storage::sqlite {

Deliveries::Deliveries(SqliteSession& session)
    : session_(session),
      end_(session.db,
           "UPDATE delivery SET place = ?, due = ?, tries = tries + 1, log = ?, node = NULL,"
           " life = NULL WHERE id = ? AND place = 1 AND node = ? AND life = ?"),
      next_(session.db,
            "SELECT d.id, d.job, d.endpoint, d.event, d.body, d.tries, p.meta FROM delivery d"
            " LEFT JOIN payload p ON p.job = d.job AND d.endpoint = ''"
            " WHERE d.place = 0 AND d.due <= ? ORDER BY d.due, d.id LIMIT ?"),
      take_(session.db,
            "UPDATE delivery SET place = 1, node = ?, life = ? WHERE id = ? AND place = 0"),
      own_(session.db, "UPDATE OR ROLLBACK job SET has = has | ? WHERE id = ? AND state = ?"),
      add_(session.db,
           "INSERT INTO delivery (id, job, endpoint, event, body, due, tries, place, log)"
           " VALUES (?, ?, ?, ?, ?, ?, 0, 0, '') ON CONFLICT DO NOTHING"),
      again_(session.db,
             "UPDATE delivery SET place = 0, due = ?, tries = 0 WHERE id = ? AND place = 2"
             " AND NOT EXISTS (SELECT 1 FROM job WHERE id = delivery.job AND state > 3)"),
      find_(session.db, "SELECT place, body FROM delivery WHERE id = ?"),
      change_(session.db, "UPDATE delivery SET body = ?, due = ? WHERE id = ? AND place = 0") {}

bool Deliveries::apply(const DeliveryEndOp& op) {
  const int place = op.retry_at ? DeliveryPlace::waiting : DeliveryPlace::ended;
  return end_.run(place, op.retry_at, op.log, op.id, op.owner.node, op.owner.life) == 1;
}

bool Deliveries::apply(const NoticeOp& op) {
  if (!op.job.is_nil() &&
      (!is_final(op.state) || own_.run(has_deliveries, op.job, stored(op.state)) != 1))
    return false;
  for (const NewDelivery& one : op.deliveries)
    add_.run(one.id, op.job, one.endpoint, one.event, one.body, one.due);
  return true;
}

std::map<Uuid, NoticeRows::Known> Deliveries::find(const std::vector<Uuid>& ids) {
  std::map<Uuid, Known> found;
  for (const Uuid& id : ids)
    if (Rows row = find_.rows(id); row.next())
      found[id] = {row.number(0) == DeliveryPlace::waiting, row.text(1)};
  return found;
}

void Deliveries::add(const std::vector<NewDelivery>& notices) {
  for (const NewDelivery& one : notices)
    add_.run(one.id, JobId{}, one.endpoint, one.event, one.body, one.due);
}

void Deliveries::change(Uuid id, const std::string& body, Instant due) {
  change_.run(body, due, id);
}

bool Deliveries::apply(const RedeliverOp& op) {
  return again_.run(op.now, op.id) == 1;
}

std::vector<ClaimedDelivery> Deliveries::apply(const DeliveryClaimOp& op) {
  std::vector<ClaimedDelivery> claimed;
  if (op.limit <= 0 || !session_.may_claim(op.owner)) return claimed;
  for (Rows row = next_.rows(op.now, op.limit); row.next();) {
    ClaimedDelivery& one = claimed.emplace_back();
    one.id = row.uuid(0);
    one.job = row.uuid(1);
    one.endpoint = row.text(2);
    one.event = row.text(3);
    one.body = row.text(4);
    one.tries = row.number(5);
    if (one.endpoint.empty()) one.url = options_from_json(row.text(6)).webhook;
  }
  for (const ClaimedDelivery& one : claimed) take_.run(op.owner.node, op.owner.life, one.id);
  return claimed;
}

}  // namespace quell::storage::sqlite
