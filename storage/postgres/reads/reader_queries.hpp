// The reads that are one statement each.
#pragma once

#include "storage/postgres/connection/connection.hpp"
#include "storage/postgres/connection/unprotected.hpp"
#include "storage/postgres/working_set/by_key.hpp"

namespace quell::storage::postgres::queries {

inline constexpr Query counts{
    "counts",
    "SELECT queue, state, sum(n) FROM tally WHERE $1::text = '' OR project = $1::text"
    " GROUP BY queue, state HAVING sum(n) <> 0 ORDER BY queue, state"};
inline constexpr Query attempts{
    "attempts",
    "SELECT n, started, ended, outcome, error, node FROM attempt WHERE job = $1::uuid ORDER BY n"};
inline constexpr Query logs{
    "logs",
    "SELECT n, at, level, body FROM log WHERE job = $1::uuid AND n > $2::bigint ORDER BY n"
    " LIMIT $3::int"};
inline constexpr Query partials{
    "partials",
    "SELECT n, body FROM partial WHERE job = $1::uuid AND n > $2::bigint ORDER BY n LIMIT $3::int"};
inline constexpr Query steps{"steps",
                             "SELECT name, body FROM step WHERE job = $1::uuid ORDER BY n"};
inline constexpr Query deliveries{
    "deliveries",
    "SELECT id, endpoint, event, log, tries, place IN (1, 3), CASE WHEN place = 0 THEN due END,"
    " job, body FROM delivery WHERE job = $1::uuid ORDER BY id"};
inline constexpr Query deliveries_of{
    "deliveries_of",
    "SELECT id, endpoint, event, log, tries, place IN (1, 3), CASE WHEN place = 0 THEN due END,"
    " job, body FROM delivery WHERE endpoint = $1::text AND ($2::uuid IS NULL OR id < $2::uuid)"
    " ORDER BY id DESC LIMIT $3::int"};
inline constexpr Query delivery{
    "delivery",
    "SELECT id, endpoint, event, log, tries, place IN (1, 3), CASE WHEN place = 0 THEN due END,"
    " job, body FROM delivery WHERE id = $1::uuid"};
inline constexpr Query flying{
    "flying",
    "SELECT id FROM delivery WHERE place = 1 AND node = $1::uuid AND life = $2::bigint"
    " ORDER BY id"};
inline constexpr Query running{
    "running",
    "SELECT job, epoch FROM live WHERE place = 2 AND node = $1::uuid AND life = $2::bigint"
    " ORDER BY job"};
// One look at the index for each priority.
inline constexpr Query oldest_queued{
    "oldest_queued",
    "SELECT o.job FROM generate_series(0, 9) p(pk) CROSS JOIN LATERAL (SELECT job FROM live"
    " WHERE queue = $1::text AND place = 1 AND live.pk = p.pk ORDER BY job LIMIT 1) o"
    " ORDER BY o.job LIMIT 1"};
inline constexpr Query next_due{"next_due", "SELECT min(due) FROM live WHERE place = 0"};
inline constexpr Query next_delivery{"next_delivery",
                                     "SELECT min(due) FROM delivery WHERE place = 0"};
inline constexpr Query outbound{
    "outbound",
    "SELECT f.id, p.args, g.usage FROM unnest($1::uuid[]) f(id)" QUELL_BY_KEY(
        "payload", "job = f.id", "p") QUELL_BY_KEY("progress", "job = f.id", "g")
        " WHERE EXISTS (SELECT 1 FROM live WHERE live.job = f.id)"
        " OR EXISTS (SELECT 1 FROM job WHERE job.id = f.id)"};
inline constexpr Query expired{
    "expired",
    "SELECT id FROM job j WHERE expires <= $1::bigint AND state BETWEEN 1 AND 3 AND has & 256 = "
    "0" QUELL_UNPROTECTED("$3", "$4") " ORDER BY expires, id LIMIT $2::int"};
inline constexpr Query nodes{"nodes", "SELECT id, life, beat, gone, info FROM node ORDER BY id"};
inline constexpr Query doc{
    "doc",
    "SELECT kind, id, project, body, version FROM doc WHERE kind = $1::text AND id = $2::text"};
inline constexpr Query docs{"docs",
                            "SELECT kind, id, project, body, version FROM doc WHERE kind = $1::text"
                            " AND ($2::text = '' OR project = $2::text) ORDER BY id"};
inline constexpr Query audit{
    "audit",
    "SELECT no, at, who, what, ref, detail, digest, hash FROM audit WHERE no > $1::bigint"
    " ORDER BY no LIMIT $2::int"};
inline constexpr Query audit_head{
    "audit_head",
    "SELECT no, at, who, what, ref, detail, digest, hash FROM audit WHERE hash IS NOT NULL"
    " ORDER BY no DESC LIMIT 1"};
inline constexpr Query stats{"stats",
                             "SELECT pg_database_size(current_database()),"
                             " current_setting('synchronous_standby_names') <> ''"};
// A backup, a psql left open, an abandoned prepared transaction: whatever holds an old snapshot.
inline constexpr Query old_snapshot{
    "old_snapshot",
    "SELECT extract(epoch FROM now() - began)::bigint, whose FROM ("
    "SELECT xact_start AS began, format('process %s, %s', pid, application_name) AS whose"
    " FROM pg_stat_activity WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"
    " AND backend_type = 'client backend' AND datname = current_database()"
    " UNION ALL SELECT prepared, format('prepared transaction %s', gid)"
    " FROM pg_prepared_xacts WHERE database = current_database()) held"
    " WHERE began < now() - interval '60 s' ORDER BY began LIMIT 1"};

}  // namespace quell::storage::postgres::queries
