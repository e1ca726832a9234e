#include "storage/postgres/connection/pg_session.hpp"

#include <algorithm>

#include "storage/postgres/connection/standbys.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query take_shard{"tally_shard", "SELECT nextval('tally_shard'), " QUELL_STANDBYS_AWAITED};

// In the order of the key, as everybody writes it.
constexpr Query add_tally{
    "tally_add",
    "INSERT INTO tally (project, queue, state, shard, n)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::smallint[], $5::bigint[])"
    " ON CONFLICT (project, queue, state, shard) DO UPDATE SET n = tally.n + excluded.n"};

constexpr Query add_audit{
    "audit_add",
    "INSERT INTO audit (at, who, what, ref, detail, digest)"
    " SELECT at, who, what, ref, detail, digest FROM unnest($1::bigint[], $2::text[], $3::text[],"
    " $4::text[], $5::text[], $6::text[]) WITH ORDINALITY"
    " AS f(at, who, what, ref, detail, digest, i) ORDER BY i"};

}  // namespace

void AuditLines::write(Connection& db, const std::vector<AuditOp>& ops) {
  ArrayLiteral at, who, what, ref, detail, digest;
  const auto add = [&](const AuditOp& op) {
    at.add(op.at);
    who.add(shown_text(op.who));
    what.add(shown_text(op.what));
    ref.add(shown_text(op.ref));
    detail.add(shown_text(op.detail));
    digest.add(std::string_view());
  };
  for (const AuditOp& op : said_) add(op);
  for (const auto& [key, owed] : calls_) {
    at.add(owed.at);
    who.add(shown_text(owed.who));
    what.add(word_of(key.second));
    ref.add(key.first.text());
    detail.add(erase_detail(owed.jobs.size()));
    digest.add(erase_digest(owed.jobs));
  }
  for (const AuditOp& op : ops) add(op);
  calls_.clear();
  said_.clear();
  if (!at.empty()) db.write(add_audit, at, who, what, ref, detail, digest);
}

PgSession::PgSession(const Address& address, Connection::Use use, ClaimCursors& all,
                     History& history)
    : db(address, use), place(history.verify(db)), cursors(all) {
  Transaction transaction(db, "READ COMMITTED");
  const Rows found = db.run(take_shard);
  shard_ = found[0].number(0);
  standbys_awaited = found[0].yes(1);
  transaction.commit();
  History::note_beginning(db, place);
}

void PgSession::forget() {
  tally.forget();
  audit.forget();
  came_in_.clear();
}

void PgSession::came_in(const std::string& queue, int pk, const JobId& job) {
  for (CameIn& one : came_in_) {
    if (one.queue != queue) continue;
    if (std::tie(one.pk, one.job) <= std::tie(pk, job)) return;
    one.pk = pk;
    one.job = job;
    return cursors.came_in(queue, pk, job);
  }
  came_in_.push_back({queue, pk, job});
  cursors.came_in(queue, pk, job);
}

void PgSession::committed() {
  for (const CameIn& one : came_in_) cursors.came_in(one.queue, one.pk, one.job);
}

// What the cursors jumped over is back.
void PgSession::rolled_back() {
  cursors.forget_all();
}

void PgSession::write_tally() {
  std::vector<const TallyDeltas::Line*> lines;
  for (const TallyDeltas::Line& line : tally.lines()) lines.push_back(&line);
  std::sort(lines.begin(), lines.end(), [](const auto* a, const auto* b) {
    return std::tie(a->project, a->queue) < std::tie(b->project, b->queue);
  });
  ArrayLiteral project, queue, state, shard, n;
  for (const TallyDeltas::Line* line : lines)
    for (std::size_t i = 0; i < TallyDeltas::states; ++i) {
      if (line->deltas.at(i) == 0) continue;
      project.add(line->project);
      queue.add(line->queue);
      state.add(static_cast<std::int64_t>(i));
      shard.add(shard_);
      n.add(line->deltas.at(i));
    }
  if (!project.empty()) db.write(add_tally, project, queue, state, shard, n);
  tally.forget();
}

}  // namespace quell::storage::postgres
