#include "storage/backup/create.hpp"

#include "runtime/base/hex.hpp"
#include "runtime/law/schedule_status.hpp"
#include "runtime/policy/webhook_outbox.hpp"
#include "storage/backup/secrets.hpp"

namespace quell::storage {

namespace {

constexpr std::uint64_t tell_each = 2'000;  // rows

// Of what is gone the tombstones know, of what was promised to go the orders.
bool belongs(BackupTableId id, bool deletions_only) {
  using enum BackupTableId;
  return !deletions_only || id == tomb || id == call || id == audit || id == schedule ||
         id == task_message || id == ticket || id == holder;
}

// A deleted schedule has no tombstone: only the audit log knows.
bool tells_of_a_deletion(const BackupRow& audit) {
  static const std::size_t what = backup_table(BackupTableId::audit).column("what");
  return audit[what].bytes == task_deleted_event;
}

bool tells_of_a_deletion(BackupTableId id, const BackupRow& row) {
  static const std::size_t status = backup_table(BackupTableId::schedule).column("status");
  if (id == BackupTableId::audit) return tells_of_a_deletion(row);
  return id != BackupTableId::schedule ||
         is_leaving(static_cast<ScheduleStatus>(row[status].number));
}

BackupHead head_for(const BackupSource& source, const BackupRequest& request, Instant now) {
  BackupHead head;
  head.id = request.id;
  head.deletions_only = request.deletions_only;
  head.product = request.product;
  head.store = source.store();
  head.schema = source.schema();
  head.moment = now;
  for (std::size_t at = 0; at < backup_tables().size(); ++at) {
    const auto id = static_cast<BackupTableId>(at);
    if (!belongs(id, request.deletions_only)) continue;
    std::vector<std::string> columns;
    for (const BackupColumn& column : backup_table(id).columns) columns.emplace_back(column.name);
    head.tables.emplace_back(id, std::move(columns));
  }
  return head;
}

class Making {
 public:
  Making(BackupSource& source, const BackupRequest& request, BackupHead& head)
      : source_(source), request_(request), head_(head) {}

  Result<void> all(BackupFile& file) {
    if (auto ready = prepare(); !ready) return ready;
    if (auto begun = file.begin(request_.path, head_); !begun) return begun;
    for (const auto& [id, columns] : head_.tables)
      if (auto done = table(id, file); !done) return done;
    return {};
  }

 private:
  Result<void> prepare() {
    if (request_.passphrase.empty()) return {};
    if (!request_.store_key)
      return Error{ErrorCode::usage, "the key of the store's secrets is not known here"};
    auto box = new_wrapping(request_.passphrase, head_);
    if (!box) return box.error();
    wrapping_.emplace(std::move(*box));
    return {};
  }

  Result<void> table(BackupTableId id, BackupFile& file) {
    BackupRow changed;
    return source_.rows(id, [&](const BackupRow& row) -> Result<void> {
      if (request_.progress && ++rows_ % tell_each == 0 &&
          !request_.progress({backup_table(id).name, rows_, file.bytes(), 0}))
        return interrupted();
      if (request_.deletions_only && !tells_of_a_deletion(id, row)) return {};
      if (id != BackupTableId::doc) return file.add(id, row);
      changed = row;
      if (!wrapping_) return leave_out_secret(changed) ? file.add(id, changed) : Result<void>();
      if (auto wrapped = rewrap(changed, *request_.store_key, *wrapping_); !wrapped) return wrapped;
      return file.add(id, changed);
    });
  }

  BackupSource& source_;
  const BackupRequest& request_;
  BackupHead& head_;
  std::optional<SecretBox> wrapping_;
  std::uint64_t rows_ = 0;
};

}  // namespace

Result<BackupMade> make_backup(BackupSource& source, const BackupRequest& request,
                               const Clock& clock) {
  BackupMade made;
  made.head = head_for(source, request, clock.now());
  BackupFile file;
  if (auto written = Making(source, request, made.head).all(file); !written) return written.error();
  made.ended = clock.now();
  if (auto finished = file.finish(made.ended); !finished) return finished.error();
  made.sums = file.sums();
  made.bytes = file.bytes();
  made.digest = hex(file.digest());
  return made;
}

}  // namespace quell::storage
