#include "http/api/views/store_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/base/metrics_text.hpp"
#include "storage/audit_entry.hpp"

namespace quell::http {

namespace {

constexpr int most_tickets = 10'000;  // beyond it the figure is "at least"
constexpr int audit_tail = 200;

MetricsText& head(MetricsText& out, const char* name, const char* help) {
  return out.metric(name, "gauge", help);
}

void gauge(MetricsText& out, const char* name, const char* help, std::int64_t value) {
  head(out, name, help).value(value);
}

void add_jobs(MetricsText& out, const std::vector<storage::CountRow>& rows) {
  head(out, "quell_jobs", "Jobs in the store.");
  std::map<std::string, std::int64_t> depth;
  for (const storage::CountRow& row : rows) {
    out.value(row.n, {{"queue", row.queue}, {"status", to_string(row.state)}});
    depth[row.queue] += row.state == JobState::queued ? row.n : 0;
  }
  head(out, "quell_queue_depth", "Jobs that wait for a slot.");
  for (const auto& [queue, n] : depth) out.value(n, {{"queue", queue}});
}

Result<void> add_oldest(MetricsText& out, storage::Reader& reader,
                        const std::vector<storage::CountRow>& rows, Instant now) {
  head(out, "quell_queue_oldest_age_seconds", "Since the oldest job that waits was created.");
  std::map<std::string, bool> waits;
  for (const storage::CountRow& row : rows)
    waits[row.queue] |= row.state == JobState::queued && row.n > 0;
  for (const auto& [queue, any] : waits) {
    Result<std::optional<JobId>> oldest = std::optional<JobId>{};
    if (any) oldest = reader.oldest_queued(queue);
    if (!oldest) return oldest.error();
    const Millis age = oldest.value() ? now - oldest.value()->time() : Millis{0};
    out.value(std::chrono::duration<double>(std::max(age, Millis{0})).count(), {{"queue", queue}});
  }
  return {};
}

// The whole chain is verified by a call of its own; a scrape looks whether its end still holds.
Result<void> add_audit(MetricsText& out, storage::Reader& reader, Instant now) {
  const Result<std::optional<storage::AuditRow>> last = reader.audit_head();
  if (!last) return last.error();
  const std::int64_t sealed = last.value() ? last.value()->no : 0;
  const Result<std::vector<storage::AuditRow>> rows =
      reader.audit(std::max<std::int64_t>(0, sealed - audit_tail), 2 * audit_tail);
  if (!rows) return rows.error();
  const AuditCheck check = tail_check(rows.value(), sealed > audit_tail);
  gauge(out, "quell_audit_sealed_entries", "Entries of the audit log that are sealed.", sealed);
  gauge(out, "quell_audit_unsealed_entries",
        fmt::format("Younger ones that are not sealed yet, counted up to {}.", audit_tail).c_str(),
        check.waiting);
  const Instant at = last.value() ? last.value()->at : now;
  gauge(out, "quell_audit_last_sealed_age_seconds", "Age of the youngest sealed entry.",
        std::chrono::duration_cast<std::chrono::seconds>(now - at).count());
  gauge(out, "quell_audit_chain_ok", "1 when the youngest seals agree with their entries.",
        check.fault ? 0 : 1);
  return {};
}

void add_deletes(MetricsText& out, const std::vector<storage::TicketView>& tickets, Instant now) {
  std::int64_t failed = 0;
  Instant oldest = now;
  for (const storage::TicketView& ticket : tickets) {
    failed += ticket.state == JobState::delete_failed ? 1 : 0;
    oldest = std::min(oldest, ticket.at);
  }
  gauge(out, "quell_delete_pending", "Deletes that are not finished.",
        static_cast<std::int64_t>(tickets.size()) - failed);
  gauge(out, "quell_delete_failed", "Deletes that gave up and wait for a person.", failed);
  gauge(out, "quell_delete_oldest_pending_seconds", "Age of the oldest unfinished delete.",
        std::chrono::duration_cast<std::chrono::seconds>(now - oldest).count());
}

void add_workers(MetricsText& out, const std::vector<storage::NodeView>& nodes) {
  const auto gone = std::count_if(nodes.begin(), nodes.end(),
                                  [](const storage::NodeView& node) { return node.gone; });
  head(out, "quell_workers", "Nodes that share the store.");
  out.value(static_cast<std::ptrdiff_t>(nodes.size()) - gone, {{"state", "up"}});
  out.value(gone, {{"state", "gone"}});
}

}  // namespace

AuditCheck tail_check(const std::vector<storage::AuditRow>& rows, bool begins_behind_others) {
  AuditHead from;
  std::size_t first = 0;
  if (begins_behind_others && !rows.empty()) {  // its seal stands for all before it
    const auto hash = storage::digest_of_hex(rows.front().hash);
    from = {rows.front().no, hash.value_or(Digest{})};
    first = 1;
  }
  AuditVerifier verifier(from);
  for (std::size_t i = first; i < rows.size(); ++i)
    verifier.add(storage::entry_of(rows[i]), storage::digest_of_hex(rows[i].hash));
  return verifier.finish();
}

std::string store_metrics(storage::Reader& reader, Instant now) {
  MetricsText out;
  const auto counts = reader.counts("");
  const auto tickets = reader.tickets(std::nullopt, false, now, most_tickets);
  const auto nodes = reader.nodes();
  const auto stats = reader.stats();
  const bool up = counts.ok() && tickets.ok() && nodes.ok() && stats.ok();
  gauge(out, "quell_store_up", "1 when the store answers.", up ? 1 : 0);
  if (!up) return std::move(out).text();
  add_jobs(out, counts.value());
  if (!add_oldest(out, reader, counts.value(), now) || !add_audit(out, reader, now))
    return std::move(out).text();  // the store went away meanwhile; the next scrape says so
  add_deletes(out, tickets.value(), now);
  add_workers(out, nodes.value());
  gauge(out, "quell_store_bytes", "Size of the store.", stats.value().bytes);
  return std::move(out).text();
}

}  // namespace quell::http
