// The role that the servers run as: what it cannot do. What it can, the conformance suite shows
// (its store "pooled" is this role).
#include "tests/storage/postgres/postgres_roles.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

class PostgresRoles : public PostgresDatabase {
 protected:
  std::string as_app() const { return std::string("user=") + app_role; }
  static bool is_denied(SqlPrompt& hand, const std::string& sql) {
    try {
      hand.run(sql);
    } catch (const pqxx::insufficient_privilege&) {
      return true;
    }
    return false;
  }
};

TEST_F(PostgresRoles, TheServersRoleCannotChangeWhatTablesThereAre) {
  make_roles(server_, database());
  SqlPrompt app(url(as_app()));
  for (const char* sql :
       {"DROP TABLE job", "ALTER TABLE live ADD COLUMN more int", "CREATE TABLE more (n int)",
        "TRUNCATE job", "DROP TRIGGER law_live_place ON live",
        "ALTER TABLE job DISABLE TRIGGER ALL", "SET session_replication_role = replica",
        "DROP INDEX live_queue", "DELETE FROM audit", "DELETE FROM schema_version",
        "UPDATE schema_version SET number = 1", "CREATE SCHEMA more"})
    EXPECT_TRUE(is_denied(app, sql)) << sql;
  EXPECT_FALSE(is_denied(app, "SELECT count(*) FROM jobs"));
}

TEST_F(PostgresRoles, TheScriptForgetsNoTable) {
  make_roles(server_, database());
  const auto tables_without = [&](const std::string& right) {
    return ask(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND"
        " relnamespace = 'public'::regnamespace AND NOT has_table_privilege('quell_app', oid, '" +
        right + "')");
  };
  EXPECT_EQ(tables_without("SELECT"), "");
  EXPECT_EQ(tables_without("INSERT"), "schema_version");
  EXPECT_EQ(tables_without("DELETE"), "audit schema_version");
}

TEST_F(PostgresRoles, AForgottenTransactionOfAnybodyElseEnds) {
  make_roles(server_, database());
  EXPECT_EQ(ask("SELECT current_setting('idle_in_transaction_session_timeout')"), "10min");
}

TEST_F(PostgresRoles, WhatTheOwnerHasNotMigratedIsRefusedAndSaysWhoMay) {
  run_roles_script(server_, database());
  const auto refused = try_open(as_app());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::store_schema);
  EXPECT_NE(refused.error().detail.find("start once as the role that owns the tables"),
            std::string::npos)
      << refused.error().detail;
}

}  // namespace
}  // namespace quell::storage
