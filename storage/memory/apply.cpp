// The order of a batch, and the verbs that are only rows: calls, documents, seals, forgetting.
#include <type_traits>

#include "storage/memory/tables.hpp"
#include "storage/verbs.hpp"

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
  std::int64_t sealed = 0;
  for (const AuditRow& row : tables.audit)
    if (!row.hash.empty()) sealed = row.no;
  if (sealed != op.after) return false;
  std::size_t next = 0;
  while (next < tables.audit.size() && !tables.audit[next].hash.empty()) ++next;
  if (next + op.hashes.size() > tables.audit.size()) return false;
  for (std::size_t i = 0; i < op.hashes.size(); ++i)
    if (tables.audit[next + i].no != op.hashes[i].first) return false;
  for (std::size_t i = 0; i < op.hashes.size(); ++i)
    tables.audit[next + i].hash = op.hashes[i].second;
  return true;
}

void apply_one(Tables& tables, const AuditOp& op) {
  AuditRow row;
  row.at = op.at;
  row.who = op.who;
  row.what = op.what;
  row.ref = op.ref;
  row.detail = op.detail;
  tables.append_audit(std::move(row));
}

void apply_one(Tables&, const HintOp&) {}   // nobody else listens
void apply_one(Tables&, const FenceOp&) {}  // whatever memory says is as durable as memory

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

// What is written of the batch as a whole stands before the verb that reads or numbers it.
void before_calls(Tables& tables, NoticeRows& notices) {
  tables.outbox.write(notices);
}
void before_audits(Tables& tables, NoticeRows&) {
  tables.write_erasures();
}

}  // namespace

Outcome apply_all(Tables& tables, const Batch& batch) {
  Outcome out;
  MemoryNotices notices(tables);
  tables.outbox.begin(batch);
  each_verb([&](auto ops, auto answers, VerbTraits) {
    if constexpr (std::is_same_v<decltype(ops), decltype(&Batch::calls)>)
      before_calls(tables, notices);
    if constexpr (std::is_same_v<decltype(ops), decltype(&Batch::audits)>)
      before_audits(tables, notices);
    for (const auto& op : batch.*ops) {
      if constexpr (std::is_null_pointer_v<decltype(answers)>)
        apply_one(tables, op);
      else if constexpr (std::is_same_v<decltype(ops), decltype(&Batch::docs)>)
        out.docs.push_back(is_refused_with(batch.docs, out.docs) ? DocResult{}
                                                                 : apply_one(tables, op));
      else
        (out.*answers).push_back(apply_one(tables, op));
      if constexpr (std::is_same_v<decltype(ops), decltype(&Batch::calls)>)
        tables.outbox.call_over(op, notices);
    }
  });
  out.has_deliveries = tables.outbox.has_deliveries();
  return out;
}

void forget(Tables& tables, Instant now) {
  forget_notices(tables, now);
  for (const auto& [id, tomb] : tables.tombs)
    if (tomb.until <= now) tables.forgotten = std::max(tables.forgotten.value_or(tomb.at), tomb.at);
  std::erase_if(tables.tombs, [&](const auto& row) { return row.second.until <= now; });
  std::erase_if(tables.calls, [&](const auto& row) { return row.second.until <= now; });
  std::erase_if(tables.docs,
                [&](const auto& row) { return row.second.until && *row.second.until <= now; });
}

}  // namespace quell::storage::memory
