#include "storage/postgres/verbs/document.hpp"

#include <array>

#include "storage/notice_time.hpp"
#include "storage/packed_text.hpp"

namespace quell::storage::postgres {

namespace {

constexpr int slice = 500;  // rows a table and round: short enough not to hold up a delete

constexpr Query write_call{
    "call_write",
    "UPDATE call SET counts = $1::bytea, receipt = $2::bytea WHERE delete_id = $3::uuid"};
constexpr Query lock_doc{
    "doc_lock", "SELECT version FROM doc WHERE kind = $1::text AND id = $2::text FOR UPDATE"};
constexpr Query add_doc{
    "doc_add",
    "INSERT INTO doc (kind, id, project, body, version, until) VALUES ($1::text, $2::text,"
    " $3::text, $4::bytea, 1, $5::bigint) ON CONFLICT DO NOTHING"};
constexpr Query write_doc{"doc_write",
                          "UPDATE doc SET project = $3::text, body = $4::bytea, until = $5::bigint,"
                          " version = version + 1 WHERE kind = $1::text AND id = $2::text"};
constexpr Query remove_doc{"doc_remove", "DELETE FROM doc WHERE kind = $1::text AND id = $2::text"};
// A number is drawn before its row is visible. Behind this lock there is no row on its way, so the
// next unsealed ones are really the next.
constexpr const char* close_audit = "LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE";
constexpr Query read_sealed{"sealed_read",
                            "SELECT no FROM audit WHERE hash IS NOT NULL ORDER BY no DESC LIMIT 1"};
constexpr Query read_unsealed{
    "seal_read", "SELECT no FROM audit WHERE hash IS NULL ORDER BY no LIMIT $1::bigint"};
constexpr Query write_seals{
    "seal_write",
    "UPDATE audit SET hash = f.hash FROM unnest($1::bigint[], $2::text[]) f(no, hash)"
    " WHERE audit.no = f.no"};

constexpr std::array old_rows{
    Query{"old_tombs",
          "WITH gone AS (DELETE FROM tomb WHERE id = ANY(ARRAY(SELECT id FROM tomb"
          " WHERE until <= $1::bigint LIMIT $2::int FOR UPDATE SKIP LOCKED)) RETURNING at)"
          " INSERT INTO forgotten (what, at) SELECT 'tomb', max(at) FROM gone"
          " HAVING max(at) IS NOT NULL ON CONFLICT (what) DO UPDATE"
          " SET at = greatest(forgotten.at, excluded.at)"},
    Query{"old_calls",
          "DELETE FROM call WHERE delete_id = ANY(ARRAY(SELECT delete_id FROM call"
          " WHERE until <= $1::bigint LIMIT $2::int FOR UPDATE SKIP LOCKED))"},
    Query{"old_docs",
          "DELETE FROM doc WHERE (kind, id) IN (SELECT kind, id FROM doc"
          " WHERE until <= $1::bigint LIMIT $2::int FOR UPDATE SKIP LOCKED)"},
    Query{"old_buckets",
          "DELETE FROM key_bucket WHERE (queue, lkey) IN (SELECT queue, lkey FROM key_bucket"
          " WHERE until <= $1::bigint LIMIT $2::int FOR UPDATE SKIP LOCKED)"}};
constexpr Query old_notices{
    "old_notices",
    "DELETE FROM delivery WHERE id = ANY(ARRAY(SELECT id FROM delivery"
    " WHERE job = '00000000-0000-0000-0000-000000000000' AND id < $1::uuid AND place = 2"
    " LIMIT $2::int FOR UPDATE SKIP LOCKED))"};

}  // namespace

void Documents::apply(const CallOp& op) {
  const std::string receipt = packed_if_long(op.receipt);
  session_.db.write(write_call, Bytes{op.counts}, Bytes{receipt}, op.delete_id);
}

DocResult Documents::apply(const DocOp& op) {
  while (true) {
    const Rows rows = session_.db.run(lock_doc, op.kind, op.id);
    const std::int64_t version = rows.empty() ? 0 : rows[0].big(0);
    if (op.if_version && *op.if_version != version) return {false, version};
    if (!op.body) {
      session_.db.run(remove_doc, op.kind, op.id);
      return {version != 0, 0};
    }
    const Query& write = version == 0 ? add_doc : write_doc;
    const int written =
        session_.db.run(write, op.kind, op.id, op.project, Bytes{*op.body}, op.until).touched();
    if (written == 1) return {true, version + 1};  // else somebody else added it: look again
  }
}

bool Documents::apply(const SealOp& op) {
  session_.db.plain(close_audit);
  const Rows sealed = session_.db.run(read_sealed);
  if ((sealed.empty() ? 0 : sealed[0].big(0)) != op.after) return false;
  const Rows open = session_.db.run(read_unsealed, static_cast<std::int64_t>(op.hashes.size()));
  if (open.size() != op.hashes.size()) return false;
  ArrayLiteral no, hash;
  for (std::size_t i = 0; i < op.hashes.size(); ++i) {
    if (op.hashes[i].first != open[i].big(0)) return false;
    no.add(op.hashes[i].first);
    hash.add(op.hashes[i].second);
  }
  if (!no.empty()) session_.db.write(write_seals, no, hash);
  return true;
}

void Documents::forget(Instant now) {
  for (const Query& old : old_rows) session_.db.run(old, now, slice);
  session_.db.run(old_notices, first_id_at(now - notice_keep), slice);
}

}  // namespace quell::storage::postgres
