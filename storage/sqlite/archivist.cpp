#include "storage/sqlite/archivist.hpp"

#include <zstd.h>

#include <nlohmann/json.hpp>

#include "runtime/assert.hpp"
#include "storage/sqlite/codes.hpp"

namespace quell::storage::sqlite {

using nlohmann::json;

namespace {

void put_time(json& out, const char* name, const Rows& row, int column) {
  if (!row.is_null(column)) out[name] = row.big(column);
}

void put_text(json& out, const char* name, const Rows& row, int column) {
  if (std::string text = row.text(column); !text.empty()) out[name] = std::move(text);
}

}  // namespace

void Archivist::Free::operator()(ZSTD_CCtx_s* zstd) const {
  ZSTD_freeCCtx(zstd);
}

Archivist::Archivist(Connection& db)
    : zstd_(ZSTD_createCCtx()),
      job_(db,
           "SELECT j.project, j.queue, j.kind, j.prio, j.epoch, j.attempt, j.lost,"
           " j.started, j.finished, j.expires, p.args, p.meta, p.ukey, r.body, r.error,"
           " g.usage"
           " FROM job j LEFT JOIN payload p ON p.job = j.id LEFT JOIN result r ON r.job = j.id"
           " LEFT JOIN progress g ON g.job = j.id"
           " WHERE j.id = ?"),
      attempts_(db,
                "SELECT n, started, ended, outcome, error, node FROM attempt WHERE job = ?"
                " ORDER BY n"),
      steps_(db, "SELECT name, body FROM step WHERE job = ? ORDER BY n"),
      partials_(db, "SELECT body FROM partial WHERE job = ? ORDER BY n"),
      logs_(db, "SELECT at, level, body FROM log WHERE job = ? ORDER BY n"),
      insert_(db,
              "INSERT INTO archive (id, delete_id, until, body) VALUES (?, ?, ?, CAST(? AS BLOB))"
              " ON CONFLICT (id) DO UPDATE SET delete_id = excluded.delete_id,"
              " until = excluded.until, body = excluded.body") {}

std::string Archivist::record_of(JobId job, JobState was, int has) {
  json out{{"id", job.text()}, {"state", to_string(was)}};
  {
    Rows row = job_.rows(job);
    QUELL_ASSERT(row.next());
    out["project"] = row.text(0);
    out["queue"] = row.text(1);
    out["kind"] = row.text(2);
    out["priority"] = row.number(3);
    out["epoch"] = row.number(4);
    out["attempt"] = row.number(5);
    out["lost"] = row.number(6);
    put_time(out, "started", row, 7);
    put_time(out, "finished", row, 8);
    put_time(out, "expires", row, 9);
    put_text(out, "args", row, 10);
    put_text(out, "options", row, 11);
    if (!row.is_null(12)) out["unique_key"] = row.text(12);
    put_text(out, "result", row, 13);
    put_text(out, "error", row, 14);
    put_text(out, "usage", row, 15);
  }
  if (has & has_attempts)
    for (Rows row = attempts_.rows(job); row.next();) {
      json one{{"n", row.number(0)}, {"ended", row.big(2)}, {"outcome", row.text(3)}};
      put_time(one, "started", row, 1);
      put_text(one, "error", row, 4);
      put_text(one, "node", row, 5);
      out["attempts"].push_back(std::move(one));
    }
  if (has & has_steps)
    for (Rows row = steps_.rows(job); row.next();)
      out["steps"].push_back({{"name", row.text(0)}, {"result", row.text(1)}});
  if (has & has_partials)
    for (Rows row = partials_.rows(job); row.next();) out["partials"].push_back(row.text(0));
  if (has & has_logs)
    for (Rows row = logs_.rows(job); row.next();)
      out["logs"].push_back({{"at", row.big(0)}, {"level", row.text(1)}, {"text", row.text(2)}});
  // Bytes that are no UTF-8 came in as somebody's log or result; they must not stop a delete.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Archivist::compressed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compressCCtx(zstd_.get(), out.data(), out.size(), text.data(), text.size(), 1);
  QUELL_ASSERT(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

void Archivist::keep(JobId job, DeleteId delete_id, JobState was, int has, Instant until) {
  insert_.run(job, delete_id, until, compressed(record_of(job, was, has)));
}

}  // namespace quell::storage::sqlite
