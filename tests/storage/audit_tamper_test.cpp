// Somebody with the database at hand rewrites the audit log: the chain names the first row
// that was touched, and a head that left in a receipt misses what was cut off.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "runtime/base/hex.hpp"
#include "storage/audit_entry.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

void write_and_seal(Store& store, Instant now) {
  auto writer = std::move(store.open_writer()).value();
  auto reader = std::move(store.open_reader()).value();
  Batch batch;
  for (const char* what : {"token.created", "delete", "force", "token.revoked", "delete"})
    batch.audits.push_back({now, "ann", what, "0198c2c0", R"({"jobs":1})"});
  ASSERT_TRUE(writer->apply(batch).ok());
  std::vector<AuditEntry> entries;
  const auto rows = std::move(reader->audit(0, 100)).value();
  for (const AuditRow& row : rows) entries.push_back(entry_of(row));
  const std::vector<Digest> hashes = seal({}, entries);
  Batch seals;
  SealOp& op = seals.seals.emplace_back();
  for (std::size_t i = 0; i < entries.size(); ++i)
    op.hashes.emplace_back(entries[i].no, hex(hashes[i]));
  ASSERT_TRUE(writer->apply(seals)->seals.at(0));
}

AuditCheck verify(Store& store, const std::vector<AuditHead>& known = {}) {
  auto reader = std::move(store.open_reader()).value();
  AuditVerifier verifier({}, known);
  const auto rows = std::move(reader->audit(0, 100)).value();
  for (const AuditRow& row : rows) verifier.add(entry_of(row), digest_of_hex(row.hash));
  return verifier.finish();
}

struct Tampering {
  const char* name;
  const char* sql;
  std::int64_t fault_no;
};
const Tampering tamperings[] = {
    {"who", "UPDATE audit SET who = 'bob' WHERE no = 3", 3},
    {"time", "UPDATE audit SET at = at + 1 WHERE no = 2", 2},
    {"detail", R"(UPDATE audit SET detail = '{"jobs":2}' WHERE no = 4)", 4},
    {"digest", "UPDATE audit SET digest = 'ab' WHERE no = 5", 5},
    {"hash", "UPDATE audit SET hash = substr(hash, 33) || substr(hash, 1, 32) WHERE no = 3", 3},
    {"removed", "DELETE FROM audit WHERE no = 2", 3},
    {"seal taken away", "UPDATE audit SET hash = NULL WHERE no = 3", 3},
};

class TamperedSqlite : public testing::Test {
 protected:
  TamperedSqlite() {
    std::string name = (std::filesystem::temp_directory_path() / "quell-tamper-XXXXXX").string();
    QUELL_ASSERT(mkdtemp(name.data()));
    folder_ = name;
  }
  ~TamperedSqlite() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Store> opened() {
    return std::move(open_store("sqlite:" + file(), OpenOptions{})).value();
  }
  std::string file() const { return (folder_ / "quell.db").string(); }
  void by_hand(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    char* fault = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &fault), SQLITE_OK) << fault;
    sqlite3_close(db);
  }
  void fresh() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    write_and_seal(*opened(), ManualClock().now());
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(TamperedSqlite, TheFirstRowThatWasTouchedIsNamed) {
  fresh();
  EXPECT_FALSE(verify(*opened()).fault.has_value());
  for (const Tampering& one : tamperings) {
    fresh();
    by_hand(one.sql);
    const AuditCheck check = verify(*opened());
    EXPECT_TRUE(check.fault.has_value()) << one.name;
    EXPECT_EQ(check.fault_no, one.fault_no) << one.name;
  }
}

TEST_F(TamperedSqlite, ARowThatWasSlippedInIsNamed) {
  fresh();
  by_hand("UPDATE audit SET no = no + 1 WHERE no = 5");
  by_hand(
      "INSERT INTO audit (no, at, who, what, ref, detail, digest, hash)"
      " SELECT 5, at, who, what, ref, detail, digest, hash FROM audit WHERE no = 4");
  EXPECT_EQ(verify(*opened()).fault_no, 5);
}

TEST_F(TamperedSqlite, ACutTailIsMissedThroughTheHeadOfAReceipt) {
  fresh();
  const AuditHead head = verify(*opened()).head;
  by_hand("DELETE FROM audit WHERE no = 5");
  EXPECT_FALSE(verify(*opened()).fault.has_value()) << "the chain alone cannot know";
  EXPECT_EQ(verify(*opened(), {head}).fault, AuditFault::tail_cut);
}

class TamperedPostgres : public PostgresDatabase {
 protected:
  void restore(Store& store) {
    by_hand("DELETE FROM audit");
    by_hand("ALTER TABLE audit ALTER COLUMN no RESTART WITH 1");
    write_and_seal(store, now());
  }
};

TEST_F(TamperedPostgres, TheFirstRowThatWasTouchedIsNamed) {
  auto store = opened();
  for (const Tampering& one : tamperings) {
    restore(*store);
    ASSERT_FALSE(verify(*store).fault.has_value());
    by_hand(one.sql);
    const AuditCheck check = verify(*store);
    EXPECT_TRUE(check.fault.has_value()) << one.name;
    EXPECT_EQ(check.fault_no, one.fault_no) << one.name;
  }
}

TEST_F(TamperedPostgres, ARowThatWasSlippedInAndACutTailAreFound) {
  auto store = opened();
  restore(*store);
  const AuditHead head = verify(*store).head;
  by_hand("DELETE FROM audit WHERE no = 5");
  EXPECT_EQ(verify(*store, {head}).fault, AuditFault::tail_cut);
  by_hand(
      "INSERT INTO audit (no, at, who, what, ref, detail, digest, hash) OVERRIDING SYSTEM VALUE"
      " SELECT 5, at, who, what, ref, detail, digest, hash FROM audit WHERE no = 4");
  EXPECT_EQ(verify(*store).fault_no, 5);
}

}  // namespace
}  // namespace quell::storage
