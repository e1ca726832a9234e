#include "storage/postgres/schema.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "storage/migrate.hpp"

namespace quell::storage::postgres {

namespace {

constexpr const char* find_tables =
    "SELECT to_regclass('schema_version') IS NOT NULL, to_regclass('job') IS NOT NULL";
constexpr const char* read_version = "SELECT number, laws FROM schema_version";
// One row. `laws` is the digest of the triggers' text: they are written again only when it differs,
// because that locks the tables.
constexpr const char* make_version =
    "CREATE TABLE IF NOT EXISTS schema_version (number integer NOT NULL, laws text NOT NULL)";
constexpr const char* lock_version = "LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE";

constexpr const char* insufficient_privilege = "(42501)";

[[noreturn]] void refuse(std::string detail) {
  throw PgFault(Error{ErrorCode::store_schema, std::move(detail)}, Cure::none);
}

std::string digest(std::string_view text) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  QUELL_ASSERT(EVP_Digest(text.data(), text.size(), bytes, &size, EVP_sha256(), nullptr) == 1);
  std::string hex;
  append_hex(hex, {reinterpret_cast<const char*>(bytes), size});
  return hex;
}

struct Version {
  int number = 0;
  std::string laws;
};

Version version_of(Connection& db) {
  const Rows tables = db.plain(find_tables);
  if (!tables[0].yes(0)) {
    if (tables[0].yes(1)) refuse("the database has a table job that is another program's");
    return {};
  }
  const Rows rows = db.plain(read_version);
  return rows.empty() ? Version{} : Version{rows[0].number(0), rows[0].text(1)};
}

void check(const Version& found, int ours, bool may_migrate) {
  if (found.number > ours + 1)
    refuse(fmt::format("the store has schema {}, this program knows {}", found.number, ours));
  if (found.number < ours && !may_migrate)
    refuse(fmt::format("the store has schema {}, this program needs {}", found.number, ours));
}

// Schema 4 keeps an open job elsewhere. A program from before it that is at work would not find it
// there and say so of a job that runs.
constexpr int not_beside_older = 4;
constexpr const char* see_writers =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
    " application_name = 'quell writer'";

void refuse_beside_others(Connection& db, const Version& found, int ours) {
  if (found.number == 0 || found.number >= not_beside_older) return;
  if (db.plain(see_writers)[0].big(0) > 0)
    refuse(
        fmt::format("the store has schema {}, this program brings {}, and other nodes are at"
                    " work on it: stop them all, then start this one",
                    found.number, ours));
}

void migrate(Connection& db, const std::vector<Migration>& all, const std::string& our_laws) {
  const int ours = static_cast<int>(all.size());
  Transaction transaction(db, "READ COMMITTED");
  db.plain("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'");
  db.plain(make_version);
  db.plain(lock_version);  // another node may be doing the same
  const Version found = version_of(db);
  check(found, ours, true);
  if (found.number > ours || (found.number == ours && found.laws == our_laws)) return;
  refuse_beside_others(db, found, ours);
  for (const Migration& one : all)
    if (one.number > found.number) db.plain(std::string(one.text));
  db.plain(std::string(laws("postgres")));
  db.plain("DELETE FROM schema_version");
  db.plain(fmt::format("INSERT INTO schema_version VALUES ({}, '{}')", ours, our_laws));
  transaction.commit();
}

}  // namespace

int schema_number(Connection& db) {
  return version_of(db).number;
}

void bring_up_to_date(Connection& db, bool may_migrate) {
  const std::vector<Migration> all = migrations("postgres");
  const int ours = static_cast<int>(all.size());
  const std::string our_laws = digest(laws("postgres"));
  for (int left = 5;; --left) {
    const Version found = version_of(db);
    check(found, ours, may_migrate);
    if (!may_migrate || found.number > ours || (found.number == ours && found.laws == our_laws))
      return;
    try {
      return migrate(db, all, our_laws);
    } catch (const PgFault& fault) {
      if (fault.error().detail.find(insufficient_privilege) != std::string::npos)
        refuse(
            fmt::format("the store has schema {}, this program brings {}, and its role may not"
                        " change tables: start once as the role that owns the tables",
                        found.number, ours));
      // Two that create the first table at once collide on its name.
      if (left == 0 || (fault.cure() != Cure::again && !fault.is_data())) throw;
    }
  }
}

}  // namespace quell::storage::postgres
