#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/law/job_machine.hpp"
#include "storage/postgres/backup/postgres_backup.hpp"
#include "storage/postgres/connection/codes.hpp"
#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

namespace {

constexpr std::size_t rows_a_message = 500, bytes_a_message = 4 << 20;
// Nobody starts to work on the store meanwhile.
constexpr const char* settle =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '10min';"
    "LOCK TABLE node, lease IN EXCLUSIVE MODE; LOCK TABLE live, job, tomb IN EXCLUSIVE MODE";
constexpr const char* occupants =
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM jobs LIMIT 1000) t),"
    " (SELECT count(*) FROM ticket), (SELECT count(*) FROM schedule),"
    " (SELECT count(*) FROM task_message), (SELECT count(*) FROM delivery),"
    " (SELECT count(*) FROM archive), (SELECT count(*) FROM node WHERE NOT gone)";
constexpr std::array occupant_names{
    "jobs",   "deletes not finished",     "schedules", "task messages", "deliveries",
    "copies", "nodes that may be at work"};

std::string_view sql_type(CellType type) {
  constexpr std::array<std::string_view, 6> types{"uuid", "bigint", "double precision",
                                                  "text", "bytea",  "bytea"};
  return types.at(static_cast<std::size_t>(type));
}

// One table's statement, and the rows that wait for it.
class Pending {
 public:
  struct Place {
    std::size_t cell;
    CellType type;
    std::string column;
  };
  Pending(const std::string& name, std::string_view table, std::vector<Place> places,
          const std::string& on_conflict)
      : name_("backup_" + name), places_(std::move(places)) {
    std::string columns, values, unnested;
    for (const Place& place : places_) {
      const char* comma = columns.empty() ? "" : ", ";
      columns += fmt::format("{}\"{}\"", comma, place.column);
      values += fmt::format("{}\"{}\"{}", comma, place.column,
                            place.column == "forced" ? "::integer::boolean" : "");
      const std::size_t n = &place - places_.data() + 1;
      unnested += fmt::format("{}${}::{}[]", comma, n, sql_type(place.type));
    }
    sql_ = fmt::format("INSERT INTO \"{}\" ({}) {} SELECT {} FROM unnest({}) t({}) {}", table,
                       columns, table == "audit" ? "OVERRIDING SYSTEM VALUE" : "", values, unnested,
                       columns, on_conflict);
    arrays_.resize(places_.size());
  }

  template <class At>
  void add(At at) {
    for (std::size_t n = 0; n < places_.size(); ++n) {
      const Cell& cell = at(n);
      ArrayLiteral& array = arrays_[n];
      bytes_ += cell.bytes.size() + 8;
      if (cell.is_null() && places_[n].type != CellType::body)
        array.add(std::nullopt);
      else if (places_[n].type == CellType::number)
        array.add(cell.number);
      else if (places_[n].type == CellType::real)
        array.add(cell.real);
      else if (places_[n].type == CellType::id)
        array.add(uuid_of(cell.bytes));
      else if (places_[n].type == CellType::text)
        array.add(shown_text(cell.bytes));
      else
        array.add(Bytes{cell.bytes});
    }
    ++rows_;
  }
  bool is_full() const { return rows_ >= rows_a_message || bytes_ >= bytes_a_message; }
  void write(Connection& db) {
    if (rows_ == 0) return;
    Parameters parameters;
    for (const ArrayLiteral& array : arrays_) parameters.add(array);
    db.run(Query{name_.c_str(), sql_.c_str()}, parameters);
    arrays_.assign(places_.size(), ArrayLiteral());
    rows_ = bytes_ = 0;
  }
  const Place& place(std::size_t n) const { return places_[n]; }

 private:
  static Uuid uuid_of(std::string_view bytes) {
    Uuid id;
    if (bytes.size() != id.bytes.size())
      throw PgFault(Error{ErrorCode::store_corrupt, "the backup has an id of another size"},
                    Cure::none);
    std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
    return id;
  }
  std::string name_, sql_;
  std::vector<Place> places_;
  std::vector<ArrayLiteral> arrays_;
  std::size_t rows_ = 0, bytes_ = 0;
};

std::string conflict_of(BackupTableId id) {
  using enum BackupTableId;
  std::vector<std::string_view> keys;
  if (id == tomb) keys = {"id"};
  if (id == call) keys = {"delete_id"};
  if (id == doc) keys = {"kind", "id"};
  if (id == queue_limit) keys = {"queue"};
  if (id == forgotten) keys = {"what"};
  if (id == key_bucket) keys = {"queue", "lkey"};
  if (keys.empty()) return {};
  const BackupTable& table = backup_table(id);
  const std::string key = fmt::format("{}", fmt::join(keys, ", "));
  std::string set;
  for (const BackupColumn& column : table.columns)
    if (std::find(keys.begin(), keys.end(), column.name) == keys.end())
      set += fmt::format("{}\"{}\" = excluded.\"{}\"", set.empty() ? "" : ", ", column.name,
                         column.name);
  return fmt::format("ON CONFLICT ({}) DO UPDATE SET {}", key, set);
}

class PostgresSink final : public BackupSink {
 public:
  explicit PostgresSink(const Address& address)
      : db_(address, Connection::Use::write), transaction_(db_, "READ COMMITTED") {
    db_.plain(settle);
    pending_.resize(backup_tables().size() + 2);
  }

  Result<std::string> occupied() override {
    return guarded([&]() -> Result<std::string> {
      const Rows rows = db_.plain(occupants);
      for (std::size_t at = 0; at < occupant_names.size(); ++at)
        if (const std::int64_t n = rows[0].big(static_cast<int>(at)); n > 0)
          return fmt::format("{} {}", n, occupant_names[at]);
      return std::string();
    });
  }

  Result<void> clear_for_rows() override {
    return guarded([&]() -> Result<void> {
      db_.plain("DELETE FROM tally; DELETE FROM audit");
      return {};
    });
  }

  Result<void> add(BackupTableId id, const BackupRow& row) override {
    return guarded([&]() -> Result<void> {
      if (id == BackupTableId::job)
        add_job(row);
      else
        add_row(id, row);
      return {};
    });
  }

  Result<void> finish() override {
    return guarded([&]() -> Result<void> {
      for (auto& one : pending_)
        if (one) one->write(db_);
      for (std::size_t at = 0; at < failed_.size(); at += rows_a_message) write_failed(at);
      db_.plain(
          "INSERT INTO tally (project, queue, state, shard, n)"
          " SELECT project, queue, state, 0, count(*) FROM jobs GROUP BY 1, 2, 3;"
          "SELECT setval(pg_get_serial_sequence('audit', 'no'),"
          " (SELECT max(no) FROM audit)) WHERE EXISTS (SELECT 1 FROM audit)");
      return {};
    });
  }

  Result<void> commit() override {
    return guarded([&]() -> Result<void> {
      transaction_.commit();
      return {};
    });
  }

  Result<std::vector<NodeId>> holders() override {
    return guarded([&]() -> Result<std::vector<NodeId>> {
      std::vector<NodeId> nodes;
      const Rows rows = db_.plain(
          "SELECT node FROM holder WHERE verdict IS NULL"
          " UNION SELECT node FROM delivery WHERE place = 1 AND node IS NOT NULL");
      for (const Row row : rows) nodes.push_back(row.uuid(0));
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

  template <class At>
  void put(std::size_t slot, At at) {
    pending_[slot]->add(at);
    if (pending_[slot]->is_full()) pending_[slot]->write(db_);
  }

  void add_row(BackupTableId id, const BackupRow& row) {
    const BackupTable& table = backup_table(id);
    const auto slot = static_cast<std::size_t>(id);
    if (!pending_[slot]) {
      std::vector<Pending::Place> places;
      for (std::size_t at = 0; at < row.size(); ++at)
        if (row[at].kind != Cell::Kind::absent)
          places.push_back({at, table.columns[at].type, std::string(table.columns[at].name)});
      pending_[slot] = std::make_unique<Pending>(std::string(table.name), table.name,
                                                 std::move(places), conflict_of(id));
    }
    put(slot, [&](std::size_t n) -> const Cell& { return row[pending_[slot]->place(n).cell]; });
  }

  // What can still move rests in `live`, everything else in `job`. Nobody is born with a delete
  // that has failed: that comes second.
  void add_job(const BackupRow& row) {
    const BackupTable& table = backup_table(BackupTableId::job);
    const auto state = static_cast<JobState>(row[table.column("state")].number);
    const bool open = codes::stored(state) == codes::Stored::open;
    const std::size_t slot = backup_tables().size() + (open ? 1 : 0);
    if (!pending_[slot]) pending_[slot] = open ? live_rows(table) : job_rows(table);
    Cell stored{Cell::Kind::number, codes::stored(state)};
    if (state == JobState::delete_failed) {
      stored.number = codes::pending_delete;
      failed_.push_back(row[table.column("id")].bytes);
    }
    const Cell place{Cell::Kind::number, static_cast<int>(state)};
    const Cell pk{Cell::Kind::number, 9 - row[table.column("prio")].number};
    put(slot, [&](std::size_t n) -> const Cell& {
      const Pending::Place& to = pending_[slot]->place(n);
      if (to.column == "state") return stored;
      if (to.column == "place") return place;
      if (to.column == "pk") return pk;
      return row[to.cell];
    });
  }

  static std::unique_ptr<Pending> of_job(const BackupTable& table, const std::string& into,
                                         const std::vector<std::array<std::string, 2>>& columns) {
    std::vector<Pending::Place> places;
    for (const auto& [to, from] : columns) {
      const std::size_t at = table.column(from);
      places.push_back({at, table.columns[at].type, to});
    }
    return std::make_unique<Pending>("rows_of_" + into, into, std::move(places), "");
  }

  static std::unique_ptr<Pending> job_rows(const BackupTable& table) {
    std::vector<std::array<std::string, 2>> columns;
    for (const char* name :
         {"id", "project", "queue", "kind", "prio", "state", "epoch", "attempt", "lost", "has",
          "started", "finished", "expires", "delete_id", "schedule", "node"})
      columns.push_back({name, name});
    return of_job(table, "job", columns);
  }

  static std::unique_ptr<Pending> live_rows(const BackupTable& table) {
    std::vector<std::array<std::string, 2>> columns{
        {"job", "id"}, {"pk", "prio"}, {"place", "state"}, {"since", "started"}};
    for (const char* name : {"project", "queue", "kind", "epoch", "attempt", "lost", "has", "due",
                             "ukey", "lkey", "schedule"})
      columns.push_back({name, name});
    return of_job(table, "live", columns);
  }

  void write_failed(std::size_t from) {
    ArrayLiteral ids;
    for (std::size_t at = from; at < std::min(failed_.size(), from + rows_a_message); ++at) {
      Uuid id;
      std::copy(failed_[at].begin(), failed_[at].end(), id.bytes.begin());
      ids.add(id);
    }
    static constexpr Query fail{"backup_failed",
                                "UPDATE job SET state = 5 WHERE id = ANY ($1::uuid[])"};
    db_.run(fail, ids);
  }

  Connection db_;
  Transaction transaction_;
  std::vector<std::unique_ptr<Pending>> pending_;  // by table; then job, live
  std::vector<std::string> failed_;
};

}  // namespace

Result<std::unique_ptr<BackupSink>> open_sink(const std::string& url) {
  const Result<Address> address = parse_address(url);
  if (!address) return address.error();
  try {
    return std::unique_ptr<BackupSink>(std::make_unique<PostgresSink>(*address));
  } catch (const Fault& fault) {
    return fault.error();
  }
}

}  // namespace quell::storage::postgres
