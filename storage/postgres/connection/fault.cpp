#include "storage/postgres/connection/fault.hpp"

#include <fmt/format.h>

#include <pqxx/except>
#include <string_view>

namespace quell::storage::postgres {

namespace {

struct Meaning {
  ErrorCode code;
  Cure cure;
};

Meaning meaning_of(std::string_view state) {
  const auto is_class = [&](std::string_view prefix) { return state.starts_with(prefix); };
  const auto unavailable = ErrorCode::store_unavailable;
  if (state == "40001" || state == "40P01") return {unavailable, Cure::again};
  // Two transactions raced for one key: on the next try the row of the other one is seen.
  if (state == "23505") return {ErrorCode::internal, Cure::again};
  if (is_class("22") || is_class("23")) return {ErrorCode::internal, Cure::data};
  if (is_class("08") || is_class("57P") || state == "25P03") return {unavailable, Cure::reconnect};
  // A pooler gave us another session than the one that prepared; or the schema changed under us.
  if (state == "26000" || state == "0A000" || state == "42P05")
    return {unavailable, Cure::reconnect};
  // This server takes no writes (any more): another one of the address may.
  if (state == "25006") return {unavailable, Cure::reconnect};
  if (state == "53100") return {ErrorCode::store_full, Cure::none};
  if (is_class("53")) return {unavailable, Cure::none};
  if (state == "42501") return {unavailable, Cure::none};
  if (is_class("42") || is_class("3F")) return {ErrorCode::store_schema, Cure::none};
  if (is_class("XX")) return {ErrorCode::store_corrupt, Cure::none};
  return {unavailable, Cure::none};  // lock and statement timeouts, read-only, …
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

PgFault fault_in_flight(const std::string& doing) {
  const auto say = [&](const char* what) { return fmt::format("{}: {}", doing, first_line(what)); };
  try {
    throw;
  } catch (const PgFault& fault) {
    return fault;
  } catch (const pqxx::statement_completion_unknown& lost) {
    return PgFault(Error{ErrorCode::store_unavailable, say(lost.what())}, Cure::reconnect);
  } catch (const pqxx::transaction_rollback& collision) {
    // A serialization failure or a deadlock: for libpqxx these are no sql_errors and have no code.
    return PgFault(Error{ErrorCode::store_unavailable, say(collision.what())}, Cure::again);
  } catch (const pqxx::broken_connection& lost) {
    return PgFault(Error{ErrorCode::store_unavailable, say(lost.what())}, Cure::reconnect);
  } catch (const pqxx::insufficient_privilege& denied) {
    // The one refusal whose code libpqxx drops; a new connection would have no more rights.
    return PgFault(Error{ErrorCode::store_unavailable, say(denied.what()) + " (42501)"},
                   Cure::none);
  } catch (const pqxx::sql_error& error) {
    // A server that ends a session says so once, and some of these come without a code.
    if (error.sqlstate().empty())
      return PgFault(Error{ErrorCode::store_unavailable, say(error.what())}, Cure::reconnect);
    const Meaning meaning = meaning_of(error.sqlstate());
    return PgFault(Error{meaning.code, fmt::format("{} ({})", say(error.what()), error.sqlstate())},
                   meaning.cure);
  } catch (const pqxx::failure& failure) {
    return PgFault(Error{ErrorCode::store_unavailable, say(failure.what())}, Cure::reconnect);
  } catch (const std::exception& fault) {
    return PgFault(Error{ErrorCode::internal, say(fault.what())}, Cure::reconnect);
  }
}

}  // namespace quell::storage::postgres
