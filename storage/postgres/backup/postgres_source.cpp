#include <fmt/format.h>

#include "storage/migrate.hpp"
#include "storage/postgres/backup/postgres_backup.hpp"
#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

namespace {

constexpr const char* select_all_jobs =
    "SELECT id, project, queue, kind, prio, state + 2, epoch, attempt, lost, has, started,"
    " finished, expires, delete_id, schedule, 0, node, NULL::bigint, NULL::bigint,"
    " NULL::bytea, NULL::text FROM job UNION ALL "
    "SELECT job, project, queue, kind, 9 - pk, place, epoch, attempt, lost, has, since, NULL,"
    " NULL, NULL, schedule, want, node, life, due, ukey, lkey FROM live";
constexpr const char* one_moment =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '10min'";
constexpr int fetched = 1'000;

std::string select_text(BackupTableId id) {
  if (id == BackupTableId::job) return select_all_jobs;
  const BackupTable& table = backup_table(id);
  std::string sql = "SELECT ";
  for (const BackupColumn& column : table.columns) {
    if (&column != &table.columns.front()) sql += ", ";
    sql += fmt::format("\"{}\"", column.name);
    if (column.name == "forced") sql += "::integer";
  }
  return sql + fmt::format(" FROM \"{}\"", table.name);
}

void take_cell(const Row& row, int at, CellType type, Cell& cell) {
  if (row.is_null(at)) {
    cell.kind = type == CellType::body ? Cell::Kind::bytes : Cell::Kind::null;
    cell.bytes.clear();
    return;
  }
  cell.kind = Cell::Kind::bytes;
  switch (type) {
    case CellType::number:
      cell.kind = Cell::Kind::number;
      cell.number = row.big(at);
      return;
    case CellType::real:
      cell.kind = Cell::Kind::real;
      cell.real = row.real(at);
      return;
    case CellType::id: {
      const Uuid id = row.uuid(at);
      cell.bytes.assign(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
      return;
    }
    case CellType::text:
      cell.bytes.assign(row.view(at));
      return;
    case CellType::bytes:
    case CellType::body:
      cell.bytes = row.bytes(at);
  }
}

class PostgresSource final : public BackupSource {
 public:
  explicit PostgresSource(const Address& address)
      : db_(address, Connection::Use::upkeep), transaction_(db_, "REPEATABLE READ READ ONLY") {
    db_.plain(one_moment);
    // The first statement with rows is the moment.
    const Rows version = db_.plain("SELECT number FROM schema_version");
    const int ours = static_cast<int>(migrations("postgres").size());
    schema_ = version.empty() ? 0 : version[0].number(0);
    if (schema_ != ours)
      throw PgFault(
          Error{ErrorCode::store_schema,
                fmt::format("the store has schema {}, this program knows {}", schema_, ours)},
          Cure::none);
  }

  std::string_view store() const override { return "postgres"; }
  int schema() const override { return schema_; }

  Result<void> rows(BackupTableId id, const Take& take) override {
    try {
      const BackupTable& table = backup_table(id);
      db_.plain("DECLARE backup NO SCROLL CURSOR FOR " + select_text(id));
      const std::string fetch = fmt::format("FETCH {} FROM backup", fetched);
      BackupRow row(table.columns.size());
      for (bool more = true; more;) {
        const Rows some = db_.plain(fetch);
        more = some.size() == fetched;
        for (const Row one : some) {
          for (std::size_t at = 0; at < row.size(); ++at)
            take_cell(one, static_cast<int>(at), table.columns[at].type, row[at]);
          if (auto taken = take(row); !taken) return taken;
        }
      }
      db_.plain("CLOSE backup");
      return {};
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  Result<std::vector<std::pair<std::string, std::string>>> columns() override {
    try {
      std::vector<std::pair<std::string, std::string>> all;
      const Rows rows = db_.plain(
          "SELECT table_name, column_name FROM information_schema.columns"
          " NATURAL JOIN information_schema.tables"
          " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1, 2");
      for (const Row row : rows) all.emplace_back(row.text(0), row.text(1));
      return all;
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

 private:
  Connection db_;
  Transaction transaction_;
  int schema_ = 0;
};

}  // namespace

Result<std::unique_ptr<BackupSource>> open_source(const std::string& url) {
  const Result<Address> address = parse_address(url);
  if (!address) return address.error();
  try {
    return std::unique_ptr<BackupSource>(std::make_unique<PostgresSource>(*address));
  } catch (const Fault& fault) {
    return fault.error();
  }
}

}  // namespace quell::storage::postgres
