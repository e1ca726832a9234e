#include "storage/postgres/reads/sentinel_reads.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query sizes{"sentinel_sizes",
                      "SELECT pg_database_size(current_database()),"
                      " has_function_privilege('pg_ls_waldir()', 'execute')"};
constexpr Query wal{"sentinel_wal", "SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()"};
// Of whatever age: how old is too old is a setting.
constexpr Query oldest_snapshot{
    "sentinel_held",
    "SELECT pid, whose, extract(epoch FROM now() - began)::bigint FROM ("
    "SELECT pid, xact_start AS began, coalesce(application_name, '') AS whose"
    " FROM pg_stat_activity WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"
    " AND backend_type = 'client backend' AND datname = current_database()"
    " AND pid <> pg_backend_pid()"
    " UNION ALL SELECT 0, prepared, format('prepared transaction %s', gid)"
    " FROM pg_prepared_xacts WHERE database = current_database()) held"
    " WHERE began IS NOT NULL ORDER BY began LIMIT 1"};
constexpr Query dead_rows{"sentinel_dead",
                          "SELECT relname, n_dead_tup FROM pg_stat_user_tables"
                          " WHERE schemaname = current_schema() ORDER BY n_dead_tup DESC LIMIT 1"};
// Each part by its primary key, and no further than the limit.
constexpr Query id_rows{
    "sentinel_ids",
    "SELECT id, what, epoch, until FROM ("
    "(SELECT job AS id, place::int AS what, epoch, 0::bigint AS until FROM live"
    " WHERE job >= $1::uuid AND job < $2::uuid ORDER BY job LIMIT $3::int)"
    " UNION ALL (SELECT id, state + 2, epoch, 0 FROM job"
    " WHERE id >= $1::uuid AND id < $2::uuid ORDER BY id LIMIT $3::int)"
    " UNION ALL (SELECT id, -1, 0, until FROM tomb WHERE id >= $1::uuid AND id < $2::uuid"
    " AND restored_epoch IS NULL ORDER BY id LIMIT $3::int)) rows ORDER BY id LIMIT $3::int"};

}  // namespace

StoreHealth read_health(Connection& db) {
  StoreHealth health;
  const Rows size = db.run(sizes);
  health.bytes = size[0].big(0);
  if (size[0].yes(1)) {
    const Rows files = db.run(wal);
    health.wal_bytes = files[0].big(0);
  }
  const Rows held = db.run(oldest_snapshot);
  if (!held.empty()) health.held = HeldSnapshot{held[0].number(0), held[0].text(1), held[0].big(2)};
  const Rows dead = db.run(dead_rows);
  if (!dead.empty()) {
    health.dead_table = dead[0].text(0);
    health.dead_rows = dead[0].big(1);
  }
  return health;
}

std::vector<IdRow> read_ids(Connection& db, const Uuid& from, const Uuid& below, int limit) {
  std::vector<IdRow> all;
  const Rows rows = db.run(id_rows, from, below, limit);
  for (const Row row : rows) {
    IdRow& one = all.emplace_back();
    one.id = row.uuid(0);
    one.is_tomb = row.number(1) < 0;
    if (!one.is_tomb) one.state = static_cast<JobState>(row.number(1));
    one.epoch = row.number(2);
    one.until = row.instant(3);
  }
  return all;
}

}  // namespace quell::storage::postgres
