#include <fmt/format.h>

#include <array>

#include "runtime/law/job_machine.hpp"
#include "storage/sqlite/backup/sqlite_backup.hpp"
#include "storage/sqlite/connection/codes.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

namespace {

using enum BackupTableId;

// What makes a store not empty; its tombstones do not.
constexpr std::array occupants{"job", "ticket", "schedule", "task_message", "delivery", "archive"};

bool replaces(BackupTableId id) {
  return id == tomb || id == call || id == doc || id == queue_limit || id == key_bucket ||
         id == forgotten;
}

std::string insert_text(std::string_view table, const std::vector<std::string>& columns,
                        bool replacing) {
  std::string names, marks;
  for (const std::string& column : columns) {
    names += (names.empty() ? "\"" : ", \"") + column + "\"";
    marks += marks.empty() ? "?" : ", ?";
  }
  return fmt::format("INSERT {}INTO \"{}\" ({}) VALUES ({})", replacing ? "OR REPLACE " : "", table,
                     names, marks);
}

// A statement for the columns that a file has; files are of one layout.
class Insert {
 public:
  Insert(Connection& db, std::string_view table, std::vector<std::string> columns, bool replacing)
      : statement_(db, insert_text(table, columns, replacing)), count_(columns.size()) {}
  template <class At>
  void run(At at) {
    statement_.run_visited(count_, [&](std::size_t n, const auto& put) {
      const auto& [cell, type] = at(n);
      if (cell->is_null() && type != CellType::body)
        put(std::nullopt);
      else if (type == CellType::number)
        put(cell->number);
      else if (type == CellType::real)
        put(cell->real);
      else if (type == CellType::id)
        put(uuid_of(cell->bytes));
      else
        put(std::string_view(cell->bytes));
    });
  }

 private:
  static Uuid uuid_of(std::string_view bytes) {
    Uuid id;
    if (bytes.size() != id.bytes.size())
      throw Fault(Error{ErrorCode::store_corrupt, "the backup has an id of another size"}, true);
    std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
    return id;
  }
  Statement statement_;
  std::size_t count_;
};

constexpr std::array job_row{"id",      "project",   "queue",    "kind", "prio",    "state",
                             "epoch",   "attempt",   "lost",     "has",  "started", "finished",
                             "expires", "delete_id", "schedule", "node"};
constexpr std::array live_row{"id",      "project", "queue", "kind",    "prio", "state", "epoch",
                              "attempt", "lost",    "has",   "started", "due",  "ukey",  "lkey"};
constexpr std::array live_columns{"job",     "project", "queue", "kind",  "pk",  "place", "epoch",
                                  "attempt", "lost",    "has",   "since", "due", "ukey",  "lkey"};

class SqliteSink final : public BackupSink {
 public:
  explicit SqliteSink(const std::string& path)
      : db_(path, Access::write),
        transaction_(db_, Transaction::Kind::write),
        inserts_(backup_tables().size()) {}

  Result<std::string> occupied() override {
    return guarded([&]() -> Result<std::string> {
      for (const char* table : occupants) {
        Statement count(db_, fmt::format("SELECT count(*) FROM \"{}\"", table));
        Rows row = count.rows();
        if (row.next() && row.big(0) > 0) return fmt::format("{} rows of {}", row.big(0), table);
      }
      return std::string();
    });
  }

  Result<void> clear_for_rows() override {
    return guarded([&]() -> Result<void> {
      db_.execute("DELETE FROM tally; DELETE FROM audit");
      return {};
    });
  }

  Result<void> add(BackupTableId id, const BackupRow& row) override {
    return guarded([&]() -> Result<void> {
      if (id == job)
        add_job(row);
      else
        insert(id, row);
      return {};
    });
  }

  Result<void> finish() override {
    return guarded([&]() -> Result<void> {
      leave_.reset();
      db_.execute(
          "INSERT INTO tally (project, queue, state, n)"
          " SELECT j.project, j.queue, CASE WHEN j.state > 0 THEN j.state + 2 ELSE l.place END,"
          " count(*) FROM job j LEFT JOIN live l ON l.job = j.id GROUP BY 1, 2, 3");
      return {};
    });
  }

  Result<void> commit() override {
    return guarded([&]() -> Result<void> {
      inserts_.clear();
      job_.reset();
      live_.reset();
      transaction_.commit();
      return {};
    });
  }

  Result<std::vector<NodeId>> holders() override {
    return guarded([&]() -> Result<std::vector<NodeId>> {
      std::vector<NodeId> nodes;
      Statement read(db_,
                     "SELECT node FROM holder WHERE verdict IS NULL"
                     " UNION SELECT node FROM delivery WHERE place = 1 AND node IS NOT NULL");
      for (Rows rows = read.rows(); rows.next();) nodes.push_back(rows.uuid(0));
      return nodes;
    });
  }

 private:
  template <class Work>
  auto guarded(Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  void insert(BackupTableId id, const BackupRow& row) {
    const BackupTable& table = backup_table(id);
    Prepared& into = inserts_[static_cast<std::size_t>(id)];
    if (!into.statement) {
      std::vector<std::string> columns;
      for (std::size_t at = 0; at < row.size(); ++at) {
        if (row[at].kind == Cell::Kind::absent) continue;
        columns.emplace_back(table.columns[at].name);
        into.places.push_back(at);
      }
      into.statement = std::make_unique<Insert>(db_, table.name, columns, replaces(id));
    }
    into.statement->run([&](std::size_t n) {
      const std::size_t at = into.places[n];
      return std::pair(&row[at], table.columns[at].type);
    });
  }

  // A job that is leaving was born once: the law lets nobody be born so.
  void add_job(const BackupRow& row) {
    const BackupTable& table = backup_table(job);
    const auto state = static_cast<JobState>(row[table.column("state")].number);
    const Cell stored{Cell::Kind::number,
                      codes::stored(is_leaving(state) ? JobState::succeeded : state)};
    const Cell place{Cell::Kind::number, static_cast<int>(state)};
    const Cell pk{Cell::Kind::number, 9 - row[table.column("prio")].number};
    const auto at = [&](std::string_view name, const Cell& of_state, const Cell* of_prio) {
      const std::size_t column = table.column(name);
      if (name == "state") return std::pair(&of_state, CellType::number);
      if (name == "prio" && of_prio) return std::pair(of_prio, CellType::number);
      return std::pair(&row[column], table.columns[column].type);
    };
    if (!job_)
      job_ = std::make_unique<Insert>(
          db_, "job", std::vector<std::string>(job_row.begin(), job_row.end()), false);
    job_->run([&](std::size_t n) { return at(job_row[n], stored, nullptr); });
    if (is_leaving(state)) leave(row[table.column("id")], state);
    if (codes::stored(state) != codes::Stored::open) return;
    if (!live_)
      live_ = std::make_unique<Insert>(
          db_, "live", std::vector<std::string>(live_columns.begin(), live_columns.end()), false);
    live_->run([&](std::size_t n) { return at(live_row[n], place, &pk); });
  }

  void leave(const Cell& id, JobState state) {
    if (!leave_) leave_ = std::make_unique<Statement>(db_, "UPDATE job SET state = ? WHERE id = ?");
    Uuid job_id;
    std::copy(id.bytes.begin(), id.bytes.end(), job_id.bytes.begin());
    leave_->run(static_cast<int>(codes::pending_delete), job_id);
    if (state == JobState::delete_failed)
      leave_->run(static_cast<int>(codes::delete_failed), job_id);
  }

  struct Prepared {
    std::unique_ptr<Insert> statement;
    std::vector<std::size_t> places;
  };
  Connection db_;
  Transaction transaction_;
  std::vector<Prepared> inserts_;
  std::unique_ptr<Insert> job_, live_;
  std::unique_ptr<Statement> leave_;
};

}  // namespace

Result<std::unique_ptr<BackupSink>> open_sink(const std::string& path) {
  try {
    return std::unique_ptr<BackupSink>(std::make_unique<SqliteSink>(path));
  } catch (const Fault& fault) {
    return fault.error();
  }
}

}  // namespace quell::storage::sqlite
