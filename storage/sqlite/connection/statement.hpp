// A statement prepared once and run often. Values are bound by type; rows are read by column, and
// the statement is reset when its Rows go, so that no open cursor keeps a snapshot alive past a
// commit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "storage/sqlite/connection/connection.hpp"

struct sqlite3_stmt;

namespace quell::storage::sqlite {

class Statement;

class Rows {
 public:
  explicit Rows(Statement& statement) : statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next();
  bool is_null(int column) const;
  int number(int column) const;
  std::int64_t big(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string_view view(int column) const;  // until the next call of next()
  Uuid uuid(int column) const;
  Instant instant(int column) const;
  std::optional<Instant> maybe_instant(int column) const;
  std::optional<Uuid> maybe_uuid(int column) const;

 private:
  Statement& statement_;
};

class Statement {
 public:
  Statement(Connection& db, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Runs to the end and says how many rows were touched.
  template <class... A>
  int run(const A&... values) {
    int at = 0;
    (bind(++at, values, true), ...);
    return finish();
  }
  // The same for values whose types are known only as they come: visit(n, put) calls put once.
  template <class Visit>
  int run_visited(std::size_t count, Visit visit) {
    for (std::size_t n = 0; n < count; ++n)
      visit(n, [&](const auto& value) { bind(static_cast<int>(n) + 1, value, false); });
    return finish();
  }
  // Rows to step through. A temporary among the values is copied, everything else must outlive
  // them.
  template <class... A>
  Rows rows(A&&... values) {
    int at = 0;
    (bind(++at, values, std::is_lvalue_reference_v<A>), ...);
    return Rows(*this);
  }

 private:
  friend class Rows;
  void bind(int at, std::int64_t value, bool stays);
  void bind(int at, int value, bool stays) { bind(at, std::int64_t{value}, stays); }
  void bind(int at, bool value, bool stays) { bind(at, std::int64_t{value}, stays); }
  void bind(int at, double value, bool stays);
  void bind(int at, std::string_view value, bool stays);
  void bind(int at, const std::string& value, bool stays) {
    bind(at, std::string_view(value), stays);
  }
  void bind(int at, const char* value, bool stays) { bind(at, std::string_view(value), stays); }
  void bind(int at, const Uuid& value, bool stays);
  void bind(int at, Instant value, bool stays) {
    bind(at, static_cast<std::int64_t>(value.time_since_epoch().count()), stays);
  }
  void bind(int at, std::nullopt_t value, bool stays);
  template <class T>
  void bind(int at, const std::optional<T>& value, bool stays) {
    if (value)
      bind(at, *value, stays);
    else
      bind(at, std::nullopt, stays);
  }
  bool step();
  int finish();
  void reset();
  [[noreturn]] void fail(int code);

  Connection& db_;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace quell::storage::sqlite
