// The order of a batch, and the verbs that are only rows: calls, documents, seals, forgetting.
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

void apply_one(Tables& tables, const CallOp& op) {
  const auto at = tables.calls.find(op.delete_id);
  if (at == tables.calls.end()) return;
  at->second.view.counts = op.counts;
  at->second.view.receipt = op.receipt;
}

DocResult apply_one(Tables& tables, const DocOp& op) {
  const auto at = tables.docs.find({op.kind, op.id});
  const bool exists = at != tables.docs.end();
  const std::int64_t version = exists ? at->second.doc.version : 0;
  if (op.if_version && *op.if_version != version) return {false, version};
  if (!op.body) {
    if (exists) tables.docs.erase(at);
    return {exists, 0};
  }
  tables.docs[{op.kind, op.id}] = {Doc{op.kind, op.id, op.project, *op.body, version + 1},
                                   op.until};
  return {true, version + 1};
}

bool apply_one(Tables& tables, const SealOp& op) {
  std::size_t next = 0;
  while (next < tables.audit.size() && !tables.audit[next].hash.empty()) ++next;
  if (next + op.hashes.size() > tables.audit.size()) return false;
  for (std::size_t i = 0; i < op.hashes.size(); ++i)
    if (tables.audit[next + i].no != op.hashes[i].first) return false;
  for (std::size_t i = 0; i < op.hashes.size(); ++i)
    tables.audit[next + i].hash = op.hashes[i].second;
  return true;
}

namespace {

class MemoryNotices final : public NoticeRows {
 public:
  explicit MemoryNotices(Tables& tables) : tables_(tables) {}

  std::map<Uuid, Known> find(const std::vector<Uuid>& ids) override {
    std::map<Uuid, Known> found;
    for (const Uuid& id : ids)
      if (const auto at = tables_.deliveries.find(id); at != tables_.deliveries.end())
        found[id] = {at->second.place == Place::waiting, at->second.what.body};
    return found;
  }
  void add(const std::vector<NewDelivery>& notices) override {
    apply_one(tables_, NoticeOp{{}, JobState::cancelled, notices});
  }
  void change(Uuid id, const std::string& body, Instant due) override {
    NewDelivery& what = tables_.deliveries.at(id).what;
    what.body = body;
    what.due = due;
  }

 private:
  Tables& tables_;
};

}  // namespace

Outcome apply_all(Tables& tables, const Batch& batch) {
  Outcome out;
  MemoryNotices notices(tables);
  tables.news.begin(batch);
  for (const auto& op : batch.marks) out.marks.push_back(apply_one(tables, op));
  for (const auto& op : batch.verdicts) out.verdicts.push_back(apply_one(tables, op));
  for (const auto& op : batch.tickets) out.tickets.push_back(apply_one(tables, op));
  for (const auto& op : batch.forces) out.forces.push_back(apply_one(tables, op));
  for (const auto& op : batch.steers) out.steers.push_back(apply_one(tables, op));
  for (const auto& op : batch.flushes) out.flushes.push_back(apply_one(tables, op));
  for (const auto& op : batch.finishes) out.finishes.push_back(apply_one(tables, op));
  for (const auto& op : batch.delivery_ends) out.delivery_ends.push_back(apply_one(tables, op));
  for (const auto& op : batch.starts) out.starts.push_back(apply_one(tables, op));
  for (const auto& op : batch.beats) out.beats.push_back(apply_one(tables, op));
  for (const auto& op : batch.burials) out.burials.push_back(apply_one(tables, op));
  for (const auto& op : batch.roles) out.roles.push_back(apply_one(tables, op));
  tables.news.write(notices);
  for (const auto& op : batch.calls) {
    apply_one(tables, op);
    tables.news.call_over(op, notices);
  }
  for (const auto& op : batch.docs) out.docs.push_back(apply_one(tables, op));
  for (const auto& op : batch.notices) out.notices.push_back(apply_one(tables, op));
  for (const auto& op : batch.redeliveries) out.redeliveries.push_back(apply_one(tables, op));
  tables.write_erasures();
  for (const auto& op : batch.audits) {
    AuditRow row;
    row.at = op.at;
    row.who = op.who;
    row.what = op.what;
    row.ref = op.ref;
    row.detail = op.detail;
    tables.append_audit(std::move(row));
  }
  for (const auto& op : batch.seals) out.seals.push_back(apply_one(tables, op));
  for (const auto& op : batch.dues) out.dues.push_back(apply_one(tables, op));
  for (const auto& op : batch.enqueues) out.enqueues.push_back(apply_one(tables, op));
  for (const auto& op : batch.claims) out.claims.push_back(apply_one(tables, op));
  for (const auto& op : batch.delivery_claims) out.delivery_claims.push_back(apply_one(tables, op));
  out.told = tables.news.told();
  return out;
}

void forget(Tables& tables, Instant now) {
  forget_notices(tables, now);
  std::erase_if(tables.tombs, [&](const auto& row) { return row.second.until <= now; });
  std::erase_if(tables.copies, [&](const auto& row) { return row.second.until <= now; });
  std::erase_if(tables.calls, [&](const auto& row) { return row.second.until <= now; });
  std::erase_if(tables.docs,
                [&](const auto& row) { return row.second.until && *row.second.until <= now; });
}

}  // namespace quell::storage::memory
