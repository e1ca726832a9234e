#include "storage/migrate.hpp"

#include <charconv>

#include "runtime/base/assert.hpp"
#include "storage/sql_files.hpp"

namespace quell::storage {

std::vector<Migration> migrations(std::string_view dialect) {
  const std::string folder = "migrations/" + std::string(dialect) + "/";
  std::vector<Migration> found;
  for (const SqlFile& file : sql_files()) {
    if (!file.name.starts_with(folder)) continue;
    Migration one{0, file.name.substr(folder.size()), file.text};
    std::from_chars(one.name.data(), one.name.data() + one.name.size(), one.number);
    QUELL_ASSERT(one.number == static_cast<int>(found.size()) + 1);
    found.push_back(one);
  }
  return found;
}

std::string_view laws(std::string_view dialect) {
  const std::string name = "laws." + std::string(dialect) + ".sql";
  for (const SqlFile& file : sql_files())
    if (file.name == name) return file.text;
  return {};
}

}  // namespace quell::storage
