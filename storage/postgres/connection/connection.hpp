// One connection to PostgreSQL with the settings that durability and speed depend on. Statements
// are prepared once and run often; behind a transaction pooler they are sent whole each time.
#pragma once

#include <memory>
#include <optional>
#include <pqxx/result>
#include <pqxx/row>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "storage/postgres/connection/address.hpp"
#include "storage/postgres/connection/array_literal.hpp"
#include "storage/postgres/connection/fault.hpp"

namespace pqxx {
class nontransaction;
}

namespace quell::storage::postgres {

// A statement by the name that it is prepared under.
struct Query {
  const char* name;
  const char* sql;
};

class Row {
 public:
  Row(const pqxx::result& result, std::size_t at)
      : row_(result[static_cast<pqxx::result::size_type>(at)]) {}
  bool is_null(int column) const;
  int number(int column) const { return static_cast<int>(big(column)); }
  std::int64_t big(int column) const;  // 0 for null
  double real(int column) const;
  bool yes(int column) const { return view(column) == "t"; }
  std::string_view view(int column) const;  // as long as the rows live; "" for null
  std::string text(int column) const { return std::string(view(column)); }
  std::string bytes(int column) const;  // of a bytea
  Uuid uuid(int column) const;
  Instant instant(int column) const { return Instant{Millis{big(column)}}; }
  std::optional<Instant> maybe_instant(int column) const;
  std::optional<Uuid> maybe_uuid(int column) const;
  std::optional<std::string> maybe_bytes(int column) const;

 private:
  pqxx::row row_;  // made once a row: each one counts the result's holders
};

class Rows {
 public:
  explicit Rows(const pqxx::result& result)
      : result_(result) {}  // a counted handle, no rows are copied
  std::size_t size() const { return static_cast<std::size_t>(result_.size()); }
  bool empty() const { return result_.empty(); }
  Row operator[](std::size_t at) const { return {result_, at}; }
  int touched() const { return static_cast<int>(result_.affected_rows()); }

  class Iterator {
   public:
    Iterator(const Rows& rows, std::size_t at) : rows_(rows), at_(at) {}
    Row operator*() const { return rows_[at_]; }
    Iterator& operator++() { return ++at_, *this; }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Rows& rows_;
    std::size_t at_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  pqxx::result result_;
};

// What a statement is given, as text.
class Parameters {
 public:
  void add(std::int64_t number) { values_.emplace_back(std::to_string(number)); }
  void add(int number) { add(std::int64_t{number}); }
  void add(bool value) { values_.emplace_back(value ? "t" : "f"); }
  void add(Instant at) { add(std::int64_t{at.time_since_epoch().count()}); }
  void add(const Uuid& id) { append_uuid(values_.emplace_back().emplace(), id); }
  void add(const std::string& text) { values_.emplace_back(checked_text(text)); }
  void add(const char* text) { values_.emplace_back(text); }
  void add(Bytes bytes) { append_hex(values_.emplace_back().emplace("\\x"), bytes.bytes); }
  void add(const ArrayLiteral& array) { values_.emplace_back(array.literal()); }
  void add(std::nullopt_t) { values_.emplace_back(); }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value)
      add(*value);
    else
      add(std::nullopt);
  }
  std::vector<const char*> pointers() const;
  std::size_t bytes() const;

 private:
  std::vector<std::optional<std::string>> values_;
};

class Connection {
 public:
  enum class Use { write, read, listen, upkeep };
  Connection(const Address& address, Use use);  // throws a PgFault
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  template <class... A>
  Rows run(const Query& query, const A&... values) {
    Parameters parameters;
    (parameters.add(values), ...);
    return run(query, parameters);
  }
  Rows run(const Query& query, const Parameters& parameters);
  // Nobody asks for its answer: goes with the next statement that has one, or with the commit, and
  // so does its fault.
  template <class... A>
  void write(const Query& query, const A&... values) {
    Parameters parameters;
    (parameters.add(values), ...);
    write(query, parameters);
  }
  void write(const Query& query, const Parameters& parameters);
  Rows plain(const std::string& sql);   // any number of statements, no parameters
  Rows commit(const std::string& sql);  // with the COMMIT in it; a warning of it is a fault
  void begin(const char* how);          // "READ COMMITTED", …; goes with the first statement
  void rollback();
  bool is_open() const;
  int socket() const;
  void listen(const std::string& channel);
  // What was heard since; one entry for each notification.
  std::vector<std::string> heard();
  void cancel();  // from another thread: ends the statement that runs

 private:
  class Listener;
  struct Raw;
  PgFault fault(const std::string& doing) const;  // of the exception in flight
  bool fits_in_a_message(const Parameters& parameters) const;
  void look_alive();
  void prepare(const Query& query);
  Rows send(const std::string& sql);

  std::string settings_;  // behind a pooler: sent with each transaction
  bool keeps_session_;
  std::string unsent_;  // statements, in order
  std::unique_ptr<Raw> raw_;
  std::unordered_set<std::string_view>
      prepared_;  // names of statements live as long as the program
  std::vector<std::string> heard_;
};

// Undone unless committed. When the connection is lost in the commit nobody knows what became of
// it: the fault's detail then says "outcome unknown".
class Transaction {
 public:
  Transaction(Connection& db, const char* how);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  // `first` is sent before the commit, in the same round trip.
  void commit(const std::string& first = {});
  // `then`, one statement with rows, is sent behind it in the same round trip.
  Rows commit(const std::string& first, const std::string& then);

 private:
  Connection& db_;
  bool open_ = true;
};

}  // namespace quell::storage::postgres
