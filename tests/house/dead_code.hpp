// What nobody reaches: a header that no living source includes, a row of a table that no code
// reads. It would compile for ever, and whoever reads it would believe it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/house/tree.hpp"

namespace quell::house {

// The headers that no source of the product reaches. A source lives by itself when no header is
// named after it (a main, a handler that a table names); otherwise it lives when its header does.
std::vector<std::string> dead_headers(const std::vector<Source>& product);

// A table of rows `MACRO(name, …)`, and how code says that it means one of them.
struct RowTable {
  const char* file;
  const char* macro;
  int column;          // of the word that is looked for, from 0
  const char* reader;  // "ErrorCode::", or "settings" for a member of SettingValues
};

std::vector<RowTable> row_tables();

// The words of that column in the text of a table.
std::vector<std::string> rows_of(const RowTable& table, const std::string& text);

// Every word that code of the product reads by this table's way: `ErrorCode::NAME`, or
// `settings.NAME`, `settings_->NAME`, `values.NAME` where nothing is assigned to it.
std::set<std::string> words_read(const RowTable& table, const std::vector<Source>& product);

}  // namespace quell::house
