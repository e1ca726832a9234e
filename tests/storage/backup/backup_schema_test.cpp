// A backup knows all that a store keeps: what a migration adds must be put into the list, or left
// out with a reason.
#include <map>
#include <set>

#include "tests/storage/backup/backup_place.hpp"

namespace quell::storage {
namespace {

class BackupSchema : public BackupPlace, public testing::WithParamInterface<const char*> {};

// How the row of a job calls what its two places call so.
std::string in_a_job(const std::string& column) {
  static const std::map<std::string, std::string> names{
      {"job", "id"}, {"pk", "prio"}, {"place", "state"}, {"since", "started"}};
  const auto found = names.find(column);
  return found == names.end() ? column : found->second;
}

TEST_P(BackupSchema, EveryTableAndColumnIsKnown) {
  const std::string url = fresh(GetParam());
  opened(url);
  auto source = open_backup_source(url, "");
  ASSERT_TRUE(source.ok()) << to_string(source.error());
  const auto there = (*source)->columns();
  ASSERT_TRUE(there.ok());
  std::map<std::string, std::set<std::string>> in_store, in_list;
  for (const auto& [table, column] : *there) {
    const bool of_job = table == "job" || table == "live";
    in_store[of_job ? "job" : table].insert(of_job ? in_a_job(column) : column);
  }
  for (const BackupTable& table : backup_tables())
    for (const BackupColumn& column : table.columns)
      in_list[std::string(table.name)].insert(std::string(column.name));
  for (const LeftOut& out : backup_left_out()) {
    EXPECT_FALSE(out.why.empty());
    in_store.erase(std::string(out.table));
  }
  for (const auto& [table, columns] : in_store)
    for (const std::string& column : columns)
      EXPECT_TRUE(in_list[table].contains(column))
          << table << "." << column << " is not in storage/spec/backup.def";
  for (const auto& [table, columns] : in_list)
    for (const std::string& column : columns)
      EXPECT_TRUE(in_store[table].contains(column)) << table << "." << column << " is no more";
}

INSTANTIATE_TEST_SUITE_P(Stores, BackupSchema, testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace quell::storage
