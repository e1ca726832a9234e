#include "storage/backup/restore.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "storage/backup/secrets.hpp"
#include "storage/backup/verify.hpp"

namespace quell::storage {

namespace {

// How the store stands before: a restore may have been cut short behind its commit.
struct Target {
  std::string marked;  // the backup whose rows are there already
  std::vector<BackupRow> audit;
};

Result<Target> look_at(BackupSource& source) {
  Target target;
  const BackupTable& doc = backup_table(BackupTableId::doc);
  auto read = source.rows(BackupTableId::doc, [&](const BackupRow& row) -> Result<void> {
    if (row[doc.column("kind")].bytes != backup_doc_kind) return {};
    if (row[doc.column("id")].bytes != restoring_doc) return {};
    const auto body = json_of_ours(row[doc.column("body")].bytes);
    if (body.is_object()) target.marked = body.value("backup", "");
    return {};
  });
  if (!read) return read.error();
  read = source.rows(BackupTableId::audit, [&](const BackupRow& row) -> Result<void> {
    target.audit.push_back(row);
    return {};
  });
  if (!read) return read.error();
  return target;
}

class Restoring {
 public:
  explicit Restoring(const RestoreRequest& request) : request_(request) {}

  Result<void> rows() {
    auto store = open_store(request_.url, request_.open);
    if (!store) return store.error();
    store_ = std::move(*store);
    if (auto read = read_deletions(); !read) return read;
    auto reader = BackupReader::open(request_.path);
    if (!reader) return reader.error();
    done_.head = reader->head();
    if (done_.head.deletions_only)
      return Error{ErrorCode::usage, "the file holds deletions, not a backup"};
    if (target_.marked == done_.head.id.text()) {
      done_.went_on = true;
      return {};
    }
    if (!target_.marked.empty())
      return Error{ErrorCode::state_conflict,
                   "the restore of another backup, " + target_.marked + ", was begun in it"};
    return write(*reader);
  }

  // What was on its way out when the backup was made goes: nobody holds it here.
  Result<void> settle(const std::vector<NodeId>& holders) {
    auto writer = store_->open_writer();
    if (!writer) return writer.error();
    Batch batch;
    for (const NodeId& node : holders) {
      RecoverOp& op = batch.recoveries.emplace_back();
      op.node = node;
      op.below_life = std::numeric_limits<std::int64_t>::max();
      op.verdict = Verdict::lease_expired;
      op.now = request_.terms.now;
      op.max_lost = request_.max_lost;
      op.cancelled_expires = request_.terms.cancelled_expires;
    }
    DocOp& mark = batch.docs.emplace_back();
    mark.kind = backup_doc_kind;
    mark.id = restoring_doc;
    const auto outcome = (*writer)->apply(batch);
    if (!outcome) return outcome.error();
    return {};
  }

  Result<std::vector<NodeId>> holders() {
    auto sink = open_backup_sink(request_.url, request_.open.data_dir);
    if (!sink) return sink.error();
    return (*sink)->holders();
  }
  Restored& done() { return done_; }
  Deletions& deletions() { return deletions_; }
  Target& target() { return target_; }

 private:
  Result<void> read_deletions() {
    for (const std::string& path : request_.deletions)
      if (auto added = deletions_.add_file(path); !added) return added;
    auto own = open_backup_source(request_.url, request_.open.data_dir);
    if (!own) return own.error();
    auto target = look_at(**own);
    if (!target) return target.error();
    target_ = std::move(*target);
    for (const BackupRow& row : target_.audit) deletions_.add_audit(row);
    return deletions_.add_store(**own);
  }

  Result<void> write(BackupReader& reader) {
    auto opened = open_backup_sink(request_.url, request_.open.data_dir);
    if (!opened) return opened.error();
    BackupSink& sink = **opened;
    const auto occupied = sink.occupied();
    if (!occupied) return occupied.error();
    if (!occupied->empty()) return Error{ErrorCode::state_conflict, "the store has " + *occupied};
    if (auto cleared = sink.clear_for_rows(); !cleared) return cleared;
    RestoredRows rows(reader.head(), request_.terms, deletions_, sink);
    rows.keep_audit(target_.audit);
    if (auto copied = copy(reader, rows); !copied) return copied;
    if (auto finished = rows.finish(); !finished) return finished;
    if (auto finished = sink.finish(); !finished) return finished;
    done_.counts = rows.counts();
    return sink.commit();
  }

  Result<void> copy(BackupReader& reader, RestoredRows& rows) {
    BackupTableId table{};
    BackupRow row;
    for (std::uint64_t n = 1;; ++n) {
      const auto more = reader.next(table, row);
      if (!more) return more.error();
      if (!*more) return {};
      if (auto added = rows.add(table, row); !added) return added;
      if (n % 1'000 == 0 && request_.progress &&
          !request_.progress({backup_table(table).name, n, reader.offset(), reader.file_bytes()}))
        return interrupted();
    }
  }

  const RestoreRequest& request_;
  std::unique_ptr<Store> store_;
  Deletions deletions_;
  Target target_;
  Restored done_;
};

// Takes what a store would get, to be compared with what it has.
class SumSink final : public BackupSink {
 public:
  Result<std::string> occupied() override { return std::string(); }
  Result<void> clear_for_rows() override { return {}; }
  Result<void> add(BackupTableId table, const BackupRow& row) override {
    encoded_.clear();
    encode_row(row, encoded_);
    sums_[static_cast<std::size_t>(table)].add(encoded_);
    return {};
  }
  Result<void> finish() override { return {}; }
  Result<void> commit() override { return {}; }
  Result<std::vector<NodeId>> holders() override { return std::vector<NodeId>(); }
  const TableSums& sums() const { return sums_; }

 private:
  TableSums sums_ = no_sums();
  std::string encoded_;
};

Result<void> expect_live(BackupSource& live, const BackupHead& head, RestoredRows& rows) {
  BackupRow changed;
  for (const auto& [id, columns] : head.tables) {
    auto read = live.rows(id, [&, table = id](const BackupRow& row) -> Result<void> {
      changed = row;
      if (table == BackupTableId::doc && !leave_out_secret(changed)) return {};
      return rows.add(table, changed);
    });
    if (!read) return read;
  }
  return rows.finish();
}

Result<void> expect_file(const std::string& path, RestoredRows& rows) {
  auto reader = BackupReader::open(path);
  if (!reader) return reader.error();
  BackupTableId table{};
  BackupRow row;
  for (;;) {
    const auto more = reader->next(table, row);
    if (!more) return more.error();
    if (!*more) return rows.finish();
    if (auto added = rows.add(table, row); !added) return added;
  }
}

Result<TableSums> sums_in(const RestoreRequest& beside) {
  auto source = open_backup_source(beside.url, beside.open.data_dir);
  if (!source) return source.error();
  SumSink found;
  for (std::size_t at = 0; at < backup_tables().size(); ++at) {
    const auto id = static_cast<BackupTableId>(at);
    auto read = (*source)->rows(id, [&](const BackupRow& row) { return found.add(id, row); });
    if (!read) return read.error();
  }
  return found.sums();
}

}  // namespace

Result<Restored> restore_backup(const RestoreRequest& request) {
  if (auto checked = verify_backup(request.path, request.progress); !checked)
    return checked.error();
  for (const std::string& path : request.deletions)
    if (auto checked = verify_backup(path, {}); !checked) return checked.error();
  Restoring restoring(request);
  if (auto written = restoring.rows(); !written) return written.error();
  const auto holders = restoring.holders();
  if (!holders) return holders.error();
  if (auto settled = restoring.settle(*holders); !settled) return settled.error();
  return restoring.done();
}

Result<Drill> drill_backup(const RestoreRequest& beside, BackupSource* live) {
  if (auto checked = verify_backup(beside.path, beside.progress); !checked) return checked.error();
  Drill drill;
  {
    Restoring restoring(beside);
    if (auto written = restoring.rows(); !written) return written.error();
    drill.head = restoring.done().head;
    drill.counts = restoring.done().counts;
  }
  Deletions deletions;
  for (const std::string& path : beside.deletions)
    if (auto added = deletions.add_file(path); !added) return added.error();
  SumSink expected;
  RestoredRows rows(drill.head, beside.terms, deletions, expected);
  const auto said =
      live != nullptr ? expect_live(*live, drill.head, rows) : expect_file(beside.path, rows);
  if (!said) return said.error();
  const auto found = sums_in(beside);
  if (!found) return found.error();
  for (std::size_t at = 0; at < found->size(); ++at) {
    const TableSum &want = expected.sums()[at], &have = (*found)[at];
    drill.rows += have.rows;
    if (!(want == have))
      drill.differences.push_back({std::string(backup_tables()[at].name), want.rows, have.rows});
  }
  return drill;
}

}  // namespace quell::storage
