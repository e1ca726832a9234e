// Which schema a store has, and how it gets to ours: numbered files, forward only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quell::storage {

struct Migration {
  int number = 0;  // 1, 2, … without gap
  std::string_view name, text;
};

// dialect: "sqlite" or "postgres".
std::vector<Migration> migrations(std::string_view dialect);
// The triggers that refuse moves the law does not know; written anew after each migration.
std::string_view laws(std::string_view dialect);

}  // namespace quell::storage
