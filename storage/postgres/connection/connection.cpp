#include "storage/postgres/connection/connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <charconv>
#include <pqxx/connection>
#include <pqxx/errorhandler>
#include <pqxx/nontransaction>
#include <pqxx/notification>
#include <pqxx/prepared_statement>

#include "storage/postgres/connection/execute_text.hpp"
#include "storage/postgres/connection/notices.hpp"

#ifdef __SANITIZE_ADDRESS__
// libpqxx 6 asks a connection for its encoding before it takes a result into its care. On one that
// has just broken that throws, and the result, 2 kB, is nobody's. It is the library's leak, one for
// each lost connection; results are never handled here, so the name hides none of ours.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT: the sanitizer's name for it
  return "leak:PQmakeEmptyPGresult\n";
}
#endif

namespace quell::storage::postgres {

namespace {

// Durability is not a matter of taste here: a claim that a crash of the database takes back would
// run twice. A stricter setting of the administrator's stays.
constexpr const char* durable =
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN"
    " 'remote_apply' THEN 'remote_apply' ELSE 'on' END, {});";

// The plans of the hot statements are known: lookups by key in the order of the array, so that two
// transactions lock in the same order. Statistics taken while `live` was empty must not change it.
constexpr const char* writer_settings[][2] = {
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
    {"enable_seqscan", "off"},
    {"enable_bitmapscan", "off"},
    {"enable_memoize", "off"},  // no key is asked for twice
    {"jit", "off"},
    {"plan_cache_mode", "force_generic_plan"},
};
// The planner may choose, but not wander off: a list is bounded by the rows that it looks at.
constexpr const char* reader_settings[][2] = {{"enable_seqscan", "off"},
                                              {"enable_bitmapscan", "off"},
                                              {"jit", "off"},
                                              {"default_transaction_read_only", "on"}};
constexpr int reader_timeout = 5'000;
// Below this a way to the server and back costs more than reading a statement's values as text.
constexpr std::size_t message_max = 16'384;

const char* name_of(Connection::Use use) {
  switch (use) {
    case Connection::Use::write:
      return "quell writer";
    case Connection::Use::read:
      return "quell reader";
    case Connection::Use::listen:
      return "quell hints";
    case Connection::Use::upkeep:
      break;
  }
  return "quell upkeep";
}

std::string settings_of(const Address& address, Connection::Use use) {
  const char* local = address.keeps_session ? "" : "LOCAL ";
  std::string sql;
  const auto set = [&](const char* name, const std::string& value) {
    sql += fmt::format("SET {}{}='{}';", local, name, value);
  };
  const bool reads = use == Connection::Use::read;
  set("bytea_output", "hex");
  set("standard_conforming_strings", "on");
  set("lock_timeout", std::to_string(address.lock_timeout));
  set("statement_timeout",
      std::to_string(reads ? std::min(reader_timeout, address.statement_timeout)
                           : address.statement_timeout));
  set("idle_in_transaction_session_timeout", std::to_string(address.idle_in_transaction_timeout));
  if (address.keeps_session) set("application_name", name_of(use));
  if (use == Connection::Use::write) {
    for (const auto& [name, value] : writer_settings) set(name, value);
    sql += fmt::format(fmt::runtime(durable), address.keeps_session ? "false" : "true");
  }
  if (reads)
    for (const auto& [name, value] : reader_settings) set(name, value);
  return sql;
}

int digit(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

}  // namespace

bool Row::is_null(int column) const {
  return row_[column].is_null();
}

std::string_view Row::view(int column) const {
  const auto field = row_[column];
  return {field.c_str(), field.size()};
}

std::int64_t Row::big(int column) const {
  const std::string_view text = view(column);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double Row::real(int column) const {
  const std::string_view text = view(column);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Row::bytes(int column) const {
  const std::string_view text = view(column);
  std::string out;
  if (text.empty()) return out;
  QUELL_ASSERT(text.starts_with("\\x"));
  out.reserve(text.size() / 2);
  for (std::size_t at = 2; at + 1 < text.size(); at += 2)
    out += static_cast<char>(digit(text[at]) << 4 | digit(text[at + 1]));
  return out;
}

Uuid Row::uuid(int column) const {
  return Uuid::parse(view(column)).value_or(Uuid{});
}

std::optional<Instant> Row::maybe_instant(int column) const {
  return is_null(column) ? std::nullopt : std::optional(instant(column));
}

std::optional<Uuid> Row::maybe_uuid(int column) const {
  return is_null(column) ? std::nullopt : std::optional(uuid(column));
}

std::optional<std::string> Row::maybe_bytes(int column) const {
  return is_null(column) ? std::nullopt : std::optional(bytes(column));
}

std::vector<const char*> Parameters::pointers() const {
  std::vector<const char*> all;
  all.reserve(values_.size());
  for (const auto& value : values_) all.push_back(value ? value->c_str() : nullptr);
  return all;
}

std::size_t Parameters::bytes() const {
  std::size_t sum = 0;
  for (const auto& value : values_) sum += value ? value->size() : 0;
  return sum;
}

struct Connection::Raw {
  explicit Raw(const std::string& uri) : connection((Listening::next = &notices, uri)) {
    // libpqxx opens a lost connection again by itself, in the middle of whatever was going on, and
    // what we had set in the session is gone: durability, timeouts, the read-only mode. Here a lost
    // connection stays lost; whoever holds it drops it and opens another one (reconnect.hpp).
    // The function is deprecated because that whole feature is, in favour of what we ask for.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }
  Notices notices;
  NoticedConnection connection;
  // Without it libpqxx writes what the server says to the program's standard error.
  pqxx::quiet_errorhandler quiet{connection};
  std::unique_ptr<pqxx::nontransaction> session;
  std::unique_ptr<Listener> listener;
};

class Connection::Listener final : public pqxx::notification_receiver {
 public:
  Listener(pqxx::connection_base& db, const std::string& channel, std::vector<std::string>& heard)
      : notification_receiver(db, channel), heard_(heard) {}
  void operator()(const std::string& payload, int) override { heard_.push_back(payload); }

 private:
  std::vector<std::string>& heard_;
};

Connection::Connection(const Address& address, Use use) : keeps_session_(address.keeps_session) {
  try {
    raw_ = std::make_unique<Raw>(address.uri);
    if (use != Use::listen)
      raw_->session = std::make_unique<pqxx::nontransaction>(raw_->connection);
    const std::string settings = settings_of(address, use);
    if (!keeps_session_)
      settings_ = settings;
    else if (raw_->session)
      raw_->session->exec(settings);
    else
      pqxx::nontransaction(raw_->connection).exec(settings);
  } catch (...) {
    throw fault_in_flight("connect");
  }
}

Connection::~Connection() = default;

// Whatever the server said last: of a connection that is closed there is no other cure. Not every
// code tells (a session ended for being idle has one of class 25, like a harmless refusal).
PgFault Connection::fault(const std::string& doing) const {
  PgFault told = fault_in_flight(doing);
  return is_open() ? told : PgFault(told.error(), Cure::reconnect);
}

Rows Connection::run(const Query& query, const Parameters& parameters) {
  try {
    const std::vector<const char*> pointers = parameters.pointers();
    const auto values = pqxx::prepare::make_dynamic_params(pointers);
    if (!keeps_session_) return Rows(raw_->session->exec_params(query.sql, values));
    prepare(query);
    if (!unsent_.empty()) {
      if (fits_in_a_message(parameters)) return send(execute_text(query.name, pointers));
      send({});
    }
    return Rows(raw_->session->exec_prepared(query.name, values));
  } catch (...) {
    throw fault(query.name);
  }
}

void Connection::write(const Query& query, const Parameters& parameters) {
  if (!keeps_session_ || !fits_in_a_message(parameters)) {
    run(query, parameters);
    return;
  }
  try {
    prepare(query);
    unsent_ += execute_text(query.name, parameters.pointers());
  } catch (...) {
    throw fault(query.name);
  }
}

bool Connection::fits_in_a_message(const Parameters& parameters) const {
  return unsent_.size() + parameters.bytes() <= message_max;
}

// At once, not when it is first run: then it may be run by a text that the library does not read.
void Connection::prepare(const Query& query) {
  if (prepared_.contains(query.name)) return;
  raw_->connection.prepare(query.name, query.sql);
  raw_->connection.prepare_now(query.name);
  prepared_.insert(query.name);
}

// Behind what was not sent yet, in one message. The answer is the last statement's.
Rows Connection::send(const std::string& sql) {
  return Rows(raw_->session->exec(std::exchange(unsent_, {}) + sql));
}

Rows Connection::plain(const std::string& sql) {
  try {
    return send(sql);
  } catch (...) {
    throw fault(sql.substr(0, sql.find(' ')));
  }
}

// A COMMIT that was not waited for to its end, because somebody ended the wait for its standby, is
// answered like any other: only a warning tells.
Rows Connection::commit(const std::string& sql) {
  raw_->notices.forget();
  Rows answer = plain(sql);
  if (raw_->notices.warned())
    throw PgFault(Error{ErrorCode::store_unavailable, "the wait for a standby was cut short"},
                  Cure::reconnect);
  return answer;
}

void Connection::begin(const char* how) {
  const std::string sql = fmt::format("BEGIN ISOLATION LEVEL {};{}", how, settings_);
  if (!keeps_session_) {
    plain(sql);
    return;
  }
  look_alive();
  unsent_ = sql;
}

// A small transaction is one message, its COMMIT in it: what becomes of it on a session that the
// server has ended before would be called unknown. A server says nothing unasked but that, or that
// a setting has changed; only then is it asked.
void Connection::look_alive() {
  pollfd said{socket(), POLLIN, 0};
  if (unsent_.empty() && ::poll(&said, 1, 0) > 0) plain("SELECT 1");
}

void Connection::rollback() {
  unsent_.clear();
  plain("ROLLBACK");
}

bool Connection::is_open() const {
  return raw_->connection.is_open();
}

int Connection::socket() const {
  return raw_->connection.sock();
}

void Connection::listen(const std::string& channel) {
  try {
    raw_->listener = std::make_unique<Listener>(raw_->connection, channel, heard_);
  } catch (...) {
    throw fault("listen");
  }
}

std::vector<std::string> Connection::heard() {
  try {
    heard_.clear();
    raw_->connection.get_notifs();
    return std::move(heard_);
  } catch (...) {
    throw fault("listen");
  }
}

void Connection::cancel() {
  try {
    raw_->connection.cancel_query();
  } catch (const std::exception&) {
    return;  // nothing ran, or the connection is gone
  }
}

Transaction::Transaction(Connection& db, const char* how) : db_(db) {
  db_.begin(how);
}

Transaction::~Transaction() {
  if (!open_ || !db_.is_open()) return;
  try {
    db_.rollback();
  } catch (const PgFault&) {
    return;  // a lost connection rolls back by itself
  }
}

namespace {

PgFault outcome_unknown(std::string detail) {
  return PgFault(
      Error{ErrorCode::store_unavailable, std::move(detail) + "; COMMIT was sent: outcome unknown"},
      Cure::reconnect);
}

}  // namespace

void Transaction::commit(const std::string& first) {
  commit(first, {});
}

Rows Transaction::commit(const std::string& first, const std::string& then) {
  open_ = false;
  try {
    return db_.commit(first + (then.empty() ? "COMMIT" : "COMMIT;" + then));
  } catch (const PgFault& fault) {
    // What stands behind the COMMIT collides with nobody, breaks no law and writes nothing: such a
    // fault came before it. Of any other nobody tells which statement's it was.
    const bool came_before = fault.cure() == Cure::again || fault.cure() == Cure::data ||
                             fault.error().code != ErrorCode::store_unavailable;
    if (fault.cure() != Cure::reconnect && (then.empty() || came_before)) {
      open_ = true;
      throw;
    }
    throw outcome_unknown(fault.error().detail);
  }
}

}  // namespace quell::storage::postgres
