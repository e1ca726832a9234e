// A prepared statement's call as text. Several in one message are one way to the server and back
// instead of one each, which is what small transactions cost.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quell::storage::postgres {

// As a literal; the session has standard_conforming_strings on.
inline void append_literal(std::string& sql, const char* text) {
  if (text == nullptr) {
    sql += "NULL";
    return;
  }
  sql += '\'';
  for (const char c : std::string_view(text)) {
    if (c == '\'') sql += '\'';
    sql += c;
  }
  sql += '\'';
}

inline std::string execute_text(const char* name, const std::vector<const char*>& values) {
  std::string sql = "EXECUTE \"";
  sql += name;
  sql += '"';
  char before = '(';
  for (const char* value : values) {
    sql += before;
    append_literal(sql, value);
    before = ',';
  }
  if (!values.empty()) sql += ')';
  sql += ';';
  return sql;
}

}  // namespace quell::storage::postgres
