#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

#include "storage/migrate.hpp"
#include "storage/sqlite/backup/sqlite_backup.hpp"
#include "storage/sqlite/connection/statement.hpp"
#include "storage/sqlite/schema.hpp"

namespace quell::storage::sqlite {

namespace {

// An open job says in `live` what its row in `job` said when it was submitted.
constexpr const char* select_jobs =
    "SELECT j.id, j.project, j.queue, j.kind, j.prio,"
    " CASE WHEN j.state > 0 THEN j.state + 2 ELSE l.place END, coalesce(l.epoch, j.epoch),"
    " coalesce(l.attempt, j.attempt), coalesce(l.lost, j.lost), coalesce(l.has, j.has),"
    " coalesce(l.since, j.started), CASE WHEN l.job IS NULL THEN j.finished END,"
    " CASE WHEN l.job IS NULL THEN j.expires END, j.delete_id, j.schedule, coalesce(l.want, 0),"
    " coalesce(l.node, j.node), l.life, l.due, l.ukey, l.lkey"
    " FROM job j LEFT JOIN live l ON l.job = j.id";

std::string select_of(BackupTableId id) {
  if (id == BackupTableId::job) return select_jobs;
  const BackupTable& table = backup_table(id);
  std::string sql = "SELECT ";
  for (const BackupColumn& column : table.columns) {
    if (&column != &table.columns.front()) sql += ", ";
    sql += fmt::format("\"{}\"", column.name);
  }
  return sql + fmt::format(" FROM \"{}\"", table.name);
}

void read_cell(const Rows& rows, int at, CellType type, Cell& cell) {
  if (rows.is_null(at)) {
    cell.kind = type == CellType::body ? Cell::Kind::bytes : Cell::Kind::null;
    cell.bytes.clear();
    return;
  }
  switch (type) {
    case CellType::number:
      cell.kind = Cell::Kind::number;
      cell.number = rows.big(at);
      return;
    case CellType::real:
      cell.kind = Cell::Kind::real;
      cell.real = rows.real(at);
      return;
    default:
      cell.kind = Cell::Kind::bytes;
      cell.bytes.assign(rows.view(at));
  }
}

class SqliteSource final : public BackupSource {
 public:
  explicit SqliteSource(const std::string& path)
      : db_(path, Access::read), schema_(schema_number(db_)) {
    const int ours = static_cast<int>(migrations("sqlite").size());
    if (schema_ != ours)
      throw Fault(
          Error{ErrorCode::store_schema,
                fmt::format("the store has schema {}, this program knows {}", schema_, ours)},
          false);
    transaction_.emplace(db_, Transaction::Kind::read);
    // The first read is the moment.
    Statement read(db_, "SELECT 1 FROM job LIMIT 1");
    Rows row = read.rows();
    row.next();
  }

  std::string_view store() const override { return "sqlite"; }
  int schema() const override { return schema_; }

  Result<void> rows(BackupTableId id, const Take& take) override {
    try {
      const BackupTable& table = backup_table(id);
      Statement read(db_, select_of(id));
      BackupRow row(table.columns.size());
      for (Rows rows = read.rows(); rows.next();) {
        for (std::size_t at = 0; at < row.size(); ++at)
          read_cell(rows, static_cast<int>(at), table.columns[at].type, row[at]);
        if (auto taken = take(row); !taken) return taken;
      }
      return {};
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  Result<std::vector<std::pair<std::string, std::string>>> columns() override {
    try {
      std::vector<std::pair<std::string, std::string>> all;
      Statement read(db_,
                     "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c"
                     " WHERE t.type = 'table' AND t.name NOT GLOB 'sqlite_*' ORDER BY 1, 2");
      for (Rows rows = read.rows(); rows.next();) all.emplace_back(rows.text(0), rows.text(1));
      return all;
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

 private:
  Connection db_;
  int schema_;
  std::optional<Transaction> transaction_;
};

}  // namespace

Result<std::unique_ptr<BackupSource>> open_source(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0)
    return Error{ErrorCode::store_unavailable,
                 fmt::format("the store {} cannot be read: {}", path, std::strerror(errno))};
  try {
    return std::unique_ptr<BackupSource>(std::make_unique<SqliteSource>(path));
  } catch (const Fault& fault) {
    return fault.error();
  }
}

}  // namespace quell::storage::sqlite
