#include "storage/backup/restored_rows.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/policy/retention_policy.hpp"
#include "storage/backup/secrets.hpp"
#include "storage/batch.hpp"
#include "storage/codes.hpp"

namespace quell::storage {

namespace {

using enum BackupTableId;
using nlohmann::json;

Cell& cell(BackupTableId table, BackupRow& row, std::string_view column) {
  return row[backup_table(table).column(column)];
}
const Cell& cell(BackupTableId table, const BackupRow& row, std::string_view column) {
  return row[backup_table(table).column(column)];
}

void set(Cell& to, std::int64_t number) {
  to.kind = Cell::Kind::number;
  to.number = number;
}
void set(Cell& to, std::string text) {
  to.kind = Cell::Kind::bytes;
  to.bytes = std::move(text);
}
void clear(Cell& to) {
  to = Cell{};
}
std::int64_t count_of(Instant at) {
  return at.time_since_epoch().count();
}

// Who of the source's documents speaks of its nodes and its backups, not of its jobs.
bool is_of_the_source(const std::string& kind) {
  return kind == "worker" || kind == backup_doc_kind;
}

}  // namespace

void RestoredRows::move_on(Cell& until) const {
  if (until.is_null()) return;
  const auto moved = restored_expiry(Instant{Millis{until.number}}, head_.moment, terms_.now);
  set(until, count_of(*moved));
}

// Its copy, if there is one, is of an earlier delete; its job is dropped below.
bool RestoredRows::is_new_tomb(BackupTableId table, const BackupRow& row) {
  const std::string_view key = backup_table(table).key;
  if (key.empty()) return false;
  const Deletions::Tomb* tomb = deletions_.of(cell(table, row, key).bytes);
  return tomb != nullptr && !tomb->restored_epoch;
}

Result<void> RestoredRows::add(BackupTableId table, BackupRow& row) {
  if (table == tomb) return deletions_.stands(row) ? sink_.add(table, row) : Result<void>();
  if (table == task_message && gone_tasks_.contains(cell(table, row, "task").bytes)) return {};
  if (is_new_tomb(table, row)) {
    if (table == job) ++counts_.stay_deleted;
    return {};
  }
  switch (table) {
    case job:
      return add_job(row);
    case doc:
      return add_doc(row);
    case BackupTableId::call:  // of two words about one delete the later
      if (files_are_newer() && deletions_.calls().contains(cell(table, row, "delete_id").bytes))
        return {};
      break;
    case result:
      move_on(cell(result, row, "until"));
      break;
    case schedule:
      return add_schedule(row);
    case task_message:
      if (ordered_.contains(cell(task_message, row, "task").bytes)) return {};
      break;
    case delivery:
      if (ordered_.contains(cell(delivery, row, "job").bytes)) return {};
      break;
    case audit:
      audit_no_ = std::max(audit_no_, cell(audit, row, "no").number);
      break;
    default:
      break;
  }
  return sink_.add(table, row);
}

bool RestoredRows::files_are_newer() const {
  return deletions_.newest_file().value_or(Instant{}) >= head_.moment;
}

// One whose delete was ordered since is leaving here too, and so it never fires again.
Result<void> RestoredRows::add_schedule(BackupRow& row) {
  const std::string id = cell(schedule, row, "id").bytes;
  if (deletions_.has_task(id, Instant{Millis{cell(schedule, row, "created").number}})) {
    gone_tasks_.insert(id);
    return {};
  }
  if (const auto* order = deletions_.task_order_of(id, head_.moment)) {
    row = order->schedule;
    ordered_.insert(id);
    if (!order->message.empty()) task_messages_.push_back(order->message);
  }
  const json terms = json_of_ours(cell(schedule, row, "terms").bytes);
  if (terms.is_object() && terms.contains("queue") && terms["queue"].is_string())
    queues_.insert(terms["queue"].get<std::string>());
  return sink_.add(schedule, row);
}

// It comes back as one that is leaving, held by whoever held it when the order was written down:
// nobody holds it here, so it is erased with the others of which that is true.
Result<void> RestoredRows::add_ordered(BackupRow& row, const Deletions::Order& order) {
  ++counts_.stay_deleted;
  ordered_.insert(cell(job, row, "id").bytes);
  tickets_.push_back(order.ticket);
  set(cell(ticket, tickets_.back(), "state"), static_cast<int>(JobState::pending_delete));
  clear(cell(ticket, tickets_.back(), "ukey"));
  holders_.push_back(order.holder);
  set(cell(holder, holders_.back(), "what"), static_cast<int>(HolderKind::run));
  cell(holder, holders_.back(), "ref") = cell(job, row, "id");
  cell(job, row, "delete_id") = cell(ticket, order.ticket, "delete_id");
  if (static_cast<JobState>(cell(job, row, "state").number) < JobState::running)
    clear(cell(job, row, "node"));
  set(cell(job, row, "state"), static_cast<int>(JobState::pending_delete));
  ++cell(job, row, "epoch").number;
  cell(job, row, "has").number &= ~std::int64_t{codes::has_deliveries};
  set(cell(job, row, "want"), 0);
  for (const char* column : {"life", "due", "ukey", "lkey"}) clear(cell(job, row, column));
  return sink_.add(job, row);
}

Result<void> RestoredRows::add_job(BackupRow& row) {
  const auto state = static_cast<JobState>(cell(job, row, "state").number);
  const auto* order = deletions_.order_of(cell(job, row, "id").bytes, head_.moment);
  if (order != nullptr && !is_leaving(state)) return add_ordered(row, *order);
  ++counts_.jobs;
  if (is_final(state)) {
    move_on(cell(job, row, "expires"));
    const Deletions::Tomb* tomb = deletions_.of(cell(job, row, "id").bytes);
    Cell& epoch = cell(job, row, "epoch");
    if (tomb != nullptr) epoch.number = std::max(epoch.number, *tomb->restored_epoch);
  } else if (!is_leaving(state)) {
    Cell& epoch = cell(job, row, "epoch");
    ++epoch.number;
    if (const Deletions::Tomb* tomb = deletions_.of(cell(job, row, "id").bytes))
      epoch.number = std::max(epoch.number, *tomb->restored_epoch);
    queues_.insert(cell(job, row, "queue").bytes);
    if (state == JobState::running) cancel_run(row);
  }
  set(cell(job, row, "want"), 0);
  if (state < JobState::running) clear(cell(job, row, "node"));
  clear(cell(job, row, "life"));
  return sink_.add(job, row);
}

// Its run may still be at work somewhere, for another store: a delete says so.
void RestoredRows::cancel_run(BackupRow& row) {
  ++counts_.cancelled;
  BackupRow note(backup_table(BackupTableId::doubt).columns.size());
  const auto put = [&](std::string_view column, const Cell& value) {
    cell(BackupTableId::doubt, note, column) = value;
  };
  put("job", cell(job, row, "id"));
  put("ref", cell(job, row, "id"));
  set(cell(BackupTableId::doubt, note, "what"), static_cast<int>(HolderKind::run));
  put("node", cell(job, row, "node"));
  put("life", cell(job, row, "life"));
  doubts_.push_back(std::move(note));
  cell(job, row, "has").number |= codes::has_doubts;
  set(cell(job, row, "state"), static_cast<int>(JobState::cancelled));
  set(cell(job, row, "finished"), count_of(terms_.now));
  clear(cell(job, row, "due"));
  clear(cell(job, row, "ukey"));
  clear(cell(job, row, "lkey"));
  const auto expires = terms_.cancelled_expires.of(cell(job, row, "queue").bytes);
  if (expires)
    set(cell(job, row, "expires"), count_of(std::max(*expires, terms_.now + restored_life)));
}

Result<void> RestoredRows::add_doc(BackupRow& row) {
  const std::string& kind = cell(doc, row, "kind").bytes;
  if (is_of_the_source(kind)) return {};
  if (kind == "queue") {
    json body = json_of_ours(cell(doc, row, "body").bytes);
    if (!body.is_object()) body = json::object();
    body["paused"] = true;
    set(cell(doc, row, "body"), body.dump());
    paused_.insert(cell(doc, row, "id").bytes);
  }
  if (head_.secrets == BackupSecrets::left_out) return sink_.add(doc, row);
  if (!terms_.wrapping || !terms_.store_key)
    return leave_out_secret(row) ? sink_.add(doc, row) : Result<void>();
  if (auto done = rewrap(row, *terms_.wrapping, *terms_.store_key); !done) return done;
  return sink_.add(doc, row);
}

Result<void> RestoredRows::add_paused(const std::string& queue) {
  BackupRow row(backup_table(doc).columns.size());
  set(cell(doc, row, "kind"), std::string("queue"));
  set(cell(doc, row, "id"), queue);
  set(cell(doc, row, "project"), std::string("default"));
  set(cell(doc, row, "body"), json{{"paused", true}, {"closed", false}}.dump());
  set(cell(doc, row, "version"), 1);
  return sink_.add(doc, row);
}

Result<void> RestoredRows::add_audit() {
  for (BackupRow& row : own_audit_) {
    set(cell(audit, row, "no"), ++audit_no_);
    clear(cell(audit, row, "hash"));
    if (auto added = sink_.add(audit, row); !added) return added;
  }
  BackupRow row(backup_table(audit).columns.size());
  set(cell(audit, row, "no"), ++audit_no_);
  set(cell(audit, row, "at"), count_of(terms_.now));
  set(cell(audit, row, "who"), terms_.who);
  set(cell(audit, row, "what"), std::string("backup.restored"));
  set(cell(audit, row, "ref"), head_.id.text());
  set(cell(audit, row, "detail"), json{{"moment", count_of(head_.moment)},
                                       {"jobs", counts_.jobs},
                                       {"stay_deleted", counts_.stay_deleted},
                                       {"cancelled", counts_.cancelled},
                                       {"tombstones", counts_.tombs}}
                                      .dump());
  set(cell(audit, row, "digest"), std::string());
  return sink_.add(audit, row);
}

Result<void> RestoredRows::finish() {
  if (files_are_newer())
    for (const auto& [id, row] : deletions_.calls())
      if (auto added = sink_.add(BackupTableId::call, row); !added) return added;
  for (const auto& [id, known] : deletions_.tombs()) {
    BackupRow row;
    std::string_view encoded = known.row;
    QUELL_ASSERT(decode_row(encoded, backup_table(tomb).columns.size(), row));
    ++counts_.tombs;
    if (auto added = sink_.add(tomb, row); !added) return added;
  }
  const auto put = [&](BackupTableId table, const std::vector<BackupRow>& rows) -> Result<void> {
    for (const BackupRow& row : rows)
      if (auto added = sink_.add(table, row); !added) return added;
    return {};
  };
  for (const auto& [table, rows] :
       {std::pair(task_message, &task_messages_), std::pair(ticket, &tickets_),
        std::pair(holder, &holders_), std::pair(BackupTableId::doubt, &doubts_)})
    if (auto added = put(table, *rows); !added) return added;
  queues_.insert(terms_.queues.begin(), terms_.queues.end());
  for (const std::string& queue : queues_)
    if (!paused_.contains(queue)) {
      if (auto paused = add_paused(queue); !paused) return paused;
      paused_.insert(queue);
    }
  counts_.queues = paused_.size();
  BackupRow mark(backup_table(doc).columns.size());
  set(cell(doc, mark, "kind"), std::string(backup_doc_kind));
  set(cell(doc, mark, "id"), std::string(restoring_doc));
  set(cell(doc, mark, "project"), std::string("default"));
  set(cell(doc, mark, "body"), json{{"backup", head_.id.text()}}.dump());
  set(cell(doc, mark, "version"), 1);
  if (auto added = sink_.add(doc, mark); !added) return added;
  return add_audit();
}

}  // namespace quell::storage
