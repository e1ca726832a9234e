#include "storage/postgres/connection/history.hpp"

#include <fmt/format.h>

#include <sstream>

namespace quell::storage::postgres {

namespace {

constexpr std::chrono::milliseconds now_and_then{5};

constexpr Query ask_place{
    "history_place",
    "SELECT (SELECT system_identifier FROM pg_control_system()),"
    " CASE WHEN pg_is_in_recovery() THEN 0"
    " ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END"};

// Until it is started anew a promoted server remembers where the log of the one before ended. The
// first word counts: after a crash it remembers the end of its own. Nobody waits for a standby.
constexpr const char* wait_for_nobody = "SET LOCAL synchronous_commit = local";
constexpr Query add_beginning{"history_beginning",
                              "INSERT INTO doc (kind, id, project, body, version)"
                              " SELECT 'timeline', $1::text, '', convert_to(began::text, 'UTF8'), 1"
                              " FROM (SELECT pg_last_wal_replay_lsn() AS began OFFSET 0) here"
                              " WHERE began IS NOT NULL ON CONFLICT DO NOTHING"};

// What is wrong with one commit of ours, in the order of certainty. A COMMIT that would stand
// behind the beginning of a later timeline is gone. One whose transaction had written before that
// end has a number that no other transaction got, so its fate can be asked for. A number of which
// nobody knows any more, because it is too old, says nothing.
constexpr Query ask_commit{
    "history_commit",
    "SELECT CASE"
    " WHEN here.timeline < $1::bigint THEN 'an earlier server is back'"
    " WHEN here.log < $3::pg_lsn THEN 'its log ends before that'"
    " WHEN here.timeline > $1::bigint AND here.began <= $3::pg_lsn"
    " THEN 'it became the primary before that reached it'"
    " WHEN $2::xid8 >= here.next THEN 'it never saw that transaction'"
    " WHEN pg_xact_status($2::xid8) <> 'committed' THEN 'it has not committed that transaction'"
    " ELSE '' END"
    " FROM (SELECT $4::bigint AS timeline, pg_current_wal_insert_lsn() AS log,"
    " least(pg_last_wal_replay_lsn(), (SELECT min(convert_from(body, 'UTF8')::pg_lsn) FROM doc"
    " WHERE kind = 'timeline' AND id::bigint > $1::bigint)) AS began, "
    "pg_snapshot_xmax(pg_current_snapshot()) AS next"
    " OFFSET 0) here"};

}  // namespace

std::optional<AcknowledgedCommit> commit_in(std::string_view noted, const LogPlace& place) {
  const std::size_t space = noted.find(' ');
  if (space == std::string_view::npos || place.timeline == 0) return std::nullopt;
  return AcknowledgedCommit{place, std::string(noted.substr(0, space)),
                            std::string(noted.substr(space + 1))};
}

std::size_t History::add_writer() {
  const std::lock_guard lock(mutex_);
  writers_.emplace_back();
  return writers_.size() - 1;
}

// It was made on a connection that had found all earlier ones there.
void History::note(std::size_t writer, AcknowledgedCommit commit) {
  const std::lock_guard lock(mutex_);
  writers_.at(writer) = {std::move(commit), std::chrono::steady_clock::now()};
  earlier_.clear();
}

bool History::is_due(std::size_t writer) const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() - writers_.at(writer).noted_at >= now_and_then;
}

std::vector<AcknowledgedCommit> History::noted() const {
  const std::lock_guard lock(mutex_);
  std::vector<AcknowledgedCommit> all = earlier_;
  for (const Writer& one : writers_)
    if (one.last) all.push_back(*one.last);
  return all;
}

LogPlace History::verify(Connection& db) {
  const Rows here = db.run(ask_place);
  LogPlace place{here[0].text(0), here[0].big(1)};
  if (place.timeline == 0) return place;  // a standby: what it lacks may be on its way
  for (const AcknowledgedCommit& one : noted()) {
    if (one.place.system != place.system) continue;
    const Rows answer =
        db.run(ask_commit, one.place.timeline, one.transaction, one.log, place.timeline);
    if (answer[0].view(0).empty()) continue;
    const std::string lost = fmt::format(
        "the database has lost what it had acknowledged: transaction {} at {} of timeline {}; the "
        "server that answers now is at timeline {}, and {}",
        one.transaction, one.log, one.place.timeline, place.timeline, answer[0].view(0));
    const std::lock_guard lock(mutex_);
    lost_ = lost;
    throw PgFault(Error{ErrorCode::store_unavailable, lost}, Cure::none);
  }
  return place;
}

void History::note_beginning(Connection& db, const LogPlace& place) {
  if (place.timeline <= 1) return;
  Transaction transaction(db, "READ COMMITTED");
  db.plain(wait_for_nobody);
  db.write(add_beginning, std::to_string(place.timeline));
  transaction.commit();
}

std::string History::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void History::forget() {
  const std::lock_guard lock(mutex_);
  lost_.clear();
  earlier_.clear();
  for (Writer& one : writers_) one = {};
}

std::string History::text() const {
  std::string text;
  for (const AcknowledgedCommit& one : noted())
    text += fmt::format("{} {} {} {}\n", one.place.system, one.place.timeline, one.transaction,
                        one.log);
  return text;
}

void History::load(const std::string& text) {
  std::istringstream lines(text);
  AcknowledgedCommit one;
  const std::lock_guard lock(mutex_);
  while (lines >> one.place.system >> one.place.timeline >> one.transaction >> one.log)
    earlier_.push_back(one);
}

}  // namespace quell::storage::postgres
