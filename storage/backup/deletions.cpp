#include "storage/backup/deletions.hpp"

#include <algorithm>

#include "runtime/law/schedule_status.hpp"
#include "runtime/policy/webhook_outbox.hpp"
#include "storage/backup/backup_file.hpp"

namespace quell::storage {

namespace {

const BackupTable& table() {
  return backup_table(BackupTableId::tomb);
}
const std::size_t id_at = table().column("id"), at_at = table().column("at"),
                  restored_at = table().column("restored_epoch"),
                  call_id_at = backup_table(BackupTableId::call).column("delete_id"),
                  what_at = backup_table(BackupTableId::audit).column("what"),
                  ref_at = backup_table(BackupTableId::audit).column("ref");

const Cell& cell_of(BackupTableId table, const BackupRow& row, std::string_view column) {
  return row[backup_table(table).column(column)];
}

// The order of the file that was made last; nothing when a later one has it.
template <class Order>
Order* latest(std::unordered_map<std::string, Order>& orders, const std::string& of,
              Instant moment) {
  Order& known = orders[of];
  if (known.moment > moment) return nullptr;
  if (known.moment < moment) known = Order();
  known.moment = moment;
  return &known;
}

}  // namespace

void Deletions::add(const BackupRow& tomb) {
  Tomb& known = tombs_[tomb[id_at].bytes];
  if (!known.row.empty() && known.at > tomb[at_at].number) return;
  known.at = tomb[at_at].number;
  known.restored_epoch.reset();
  if (!tomb[restored_at].is_null()) known.restored_epoch = tomb[restored_at].number;
  known.row.clear();
  encode_row(tomb, known.row);
}

Result<void> Deletions::add_file(const std::string& path) {
  auto reader = BackupReader::open(path);
  if (!reader) return reader.error();
  BackupTableId id{};
  BackupRow row;
  for (;;) {
    const auto more = reader->next(id, row);
    if (!more) return more.error();
    if (!*more) break;
    if (id == BackupTableId::tomb) add(row);
    if (id == BackupTableId::audit) add_audit(row);
    if (id == BackupTableId::call) calls_[row[call_id_at].bytes] = row;
    add_order(id, row, reader->head().moment);
  }
  newest_ = std::max(newest_.value_or(reader->head().moment), reader->head().moment);
  return {};
}

void Deletions::add_order(BackupTableId table, const BackupRow& row, Instant moment) {
  using enum BackupTableId;
  if (table == schedule &&
      is_leaving(static_cast<ScheduleStatus>(cell_of(schedule, row, "status").number))) {
    if (auto* order = latest(task_orders_, cell_of(schedule, row, "id").bytes, moment))
      order->schedule = row;
  } else if (table == task_message) {
    if (auto* order = latest(task_orders_, cell_of(task_message, row, "task").bytes, moment))
      order->message = row;
  } else if (table == ticket && cell_of(ticket, row, "forced").number == 0) {
    if (auto* order = latest(orders_, cell_of(ticket, row, "job").bytes, moment))
      order->ticket = row;
  } else if (table == holder && cell_of(holder, row, "verdict").is_null()) {
    if (auto* order = latest(orders_, cell_of(holder, row, "job").bytes, moment))
      order->holder = row;
  }
}

const Deletions::Order* Deletions::order_of(std::string_view job, Instant backup) const {
  const auto known = orders_.find(std::string(job));
  if (known == orders_.end() || known->second.moment < backup) return nullptr;
  const Order& order = known->second;
  if (order.ticket.empty() || order.holder.empty()) return nullptr;
  const Tomb* tomb = of(job);
  const bool is_over =
      tomb != nullptr && tomb->at >= cell_of(BackupTableId::ticket, order.ticket, "at").number;
  return is_over ? nullptr : &order;
}

const Deletions::TaskOrder* Deletions::task_order_of(std::string_view task, Instant backup) const {
  const auto known = task_orders_.find(std::string(task));
  if (known == task_orders_.end() || known->second.moment < backup) return nullptr;
  return known->second.schedule.empty() ? nullptr : &known->second;
}

Result<void> Deletions::add_store(BackupSource& source) {
  return source.rows(BackupTableId::tomb, [&](const BackupRow& row) -> Result<void> {
    add(row);
    return {};
  });
}

void Deletions::add_audit(const BackupRow& row) {
  if (row[what_at].bytes != task_deleted_event) return;
  Instant& last = tasks_[row[ref_at].bytes];
  last = std::max(last, Instant{Millis{cell_of(BackupTableId::audit, row, "at").number}});
}

bool Deletions::has_task(std::string_view task, Instant created) const {
  Uuid id;
  if (tasks_.empty() || task.size() != id.bytes.size()) return false;
  std::copy(task.begin(), task.end(), id.bytes.begin());
  const auto last = tasks_.find(id.text());
  return last != tasks_.end() && last->second > created;
}

bool Deletions::stands(const BackupRow& tomb) {
  const auto known = tombs_.find(tomb[id_at].bytes);
  if (known == tombs_.end()) return true;
  if (known->second.at > tomb[at_at].number) return false;
  tombs_.erase(known);
  return true;
}

const Deletions::Tomb* Deletions::of(std::string_view job) const {
  const auto known = tombs_.find(std::string(job));
  return known == tombs_.end() ? nullptr : &known->second;
}

}  // namespace quell::storage
