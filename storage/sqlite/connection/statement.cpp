#include "storage/sqlite/connection/statement.hpp"

#include <sqlite3.h>
#include <utility>

#include <cstring>

#include "runtime/base/assert.hpp"

namespace quell::storage::sqlite {

Statement::Statement(Connection& db, std::string_view sql) : db_(db) {
  const int code = sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) throw fault_of(code, db.handle(), "prepare");
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::bind(int at, std::int64_t value, bool) {
  QUELL_ASSERT(sqlite3_bind_int64(handle_, at, value) == SQLITE_OK);
}

void Statement::bind(int at, double value, bool) {
  QUELL_ASSERT(sqlite3_bind_double(handle_, at, value) == SQLITE_OK);
}

void Statement::bind(int at, std::string_view value, bool stays) {
  // A null pointer would bind NULL: an empty text is a text.
  const int code = sqlite3_bind_text64(handle_, at, value.data() ? value.data() : "", value.size(),
                                       stays ? SQLITE_STATIC : SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) fail(code);
}

void Statement::bind(int at, const Uuid& value, bool stays) {
  QUELL_ASSERT(sqlite3_bind_blob(handle_, at, value.bytes.data(), 16,
                                 stays ? SQLITE_STATIC : SQLITE_TRANSIENT) == SQLITE_OK);
}

void Statement::bind(int at, std::nullopt_t, bool) {
  QUELL_ASSERT(sqlite3_bind_null(handle_, at) == SQLITE_OK);
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(code);
  return false;
}

int Statement::finish() {
  while (step()) {
  }
  const int touched = db_.changes();
  reset();
  return touched;
}

void Statement::reset() {
  sqlite3_reset(handle_);
}

void Statement::fail(int code) {
  Fault fault = fault_of(code, db_.handle(), "run");
  reset();
  throw Fault(std::move(fault));
}

Rows::~Rows() {
  statement_.reset();
}

bool Rows::next() {
  return statement_.step();
}

bool Rows::is_null(int column) const {
  return sqlite3_column_type(statement_.handle_, column) == SQLITE_NULL;
}

int Rows::number(int column) const {
  return sqlite3_column_int(statement_.handle_, column);
}

std::int64_t Rows::big(int column) const {
  return sqlite3_column_int64(statement_.handle_, column);
}

double Rows::real(int column) const {
  return sqlite3_column_double(statement_.handle_, column);
}

std::string Rows::text(int column) const {
  return std::string(view(column));
}

std::string_view Rows::view(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.handle_, column));
  if (!data) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.handle_, column))};
}

Uuid Rows::uuid(int column) const {
  Uuid id;
  const void* data = sqlite3_column_blob(statement_.handle_, column);
  if (!data || sqlite3_column_bytes(statement_.handle_, column) != 16)
    throw Fault(Error{ErrorCode::store_corrupt, "an id is not 16 bytes long"}, false);
  std::memcpy(id.bytes.data(), data, id.bytes.size());
  return id;
}

Instant Rows::instant(int column) const {
  return Instant{Millis{big(column)}};
}

std::optional<Instant> Rows::maybe_instant(int column) const {
  return is_null(column) ? std::nullopt : std::optional(instant(column));
}

std::optional<Uuid> Rows::maybe_uuid(int column) const {
  return is_null(column) ? std::nullopt : std::optional(uuid(column));
}

}  // namespace quell::storage::sqlite
