#include "http/store_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace quell::http {

namespace {

constexpr int most_tickets = 10'000;  // beyond it the figure is "at least"

void head(std::string& out, const char* name, const char* help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

void gauge(std::string& out, const char* name, const char* help, std::int64_t value) {
  head(out, name, help);
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}

void add_jobs(std::string& out, const std::vector<storage::CountRow>& rows) {
  head(out, "quell_jobs", "Jobs in the store.");
  std::map<std::string, std::int64_t> depth;
  for (const storage::CountRow& row : rows) {
    fmt::format_to(std::back_inserter(out), "quell_jobs{{queue=\"{}\",status=\"{}\"}} {}\n",
                   row.queue, to_string(row.state), row.n);
    depth[row.queue] += row.state == JobState::queued ? row.n : 0;
  }
  head(out, "quell_queue_depth", "Jobs that wait for a slot.");
  for (const auto& [queue, n] : depth)
    fmt::format_to(std::back_inserter(out), "quell_queue_depth{{queue=\"{}\"}} {}\n", queue, n);
}

void add_deletes(std::string& out, const std::vector<storage::TicketView>& tickets, Instant now) {
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

void add_workers(std::string& out, const std::vector<storage::NodeView>& nodes) {
  const auto gone = std::count_if(nodes.begin(), nodes.end(),
                                  [](const storage::NodeView& node) { return node.gone; });
  head(out, "quell_workers", "Nodes that share the store.");
  fmt::format_to(std::back_inserter(out),
                 "quell_workers{{state=\"up\"}} {}\nquell_workers{{state=\"gone\"}} {}\n",
                 static_cast<std::ptrdiff_t>(nodes.size()) - gone, gone);
}

}  // namespace

std::string store_figures(storage::Reader& reader, Instant now) {
  std::string out;
  const auto counts = reader.counts("");
  const auto tickets = reader.tickets(std::nullopt, false, now, most_tickets);
  const auto nodes = reader.nodes();
  const auto stats = reader.stats();
  const bool up = counts.ok() && tickets.ok() && nodes.ok() && stats.ok();
  gauge(out, "quell_store_up", "1 when the store answers.", up ? 1 : 0);
  if (!up) return out;
  add_jobs(out, counts.value());
  add_deletes(out, tickets.value(), now);
  add_workers(out, nodes.value());
  gauge(out, "quell_store_bytes", "Size of the store.", stats.value().bytes);
  return out;
}

}  // namespace quell::http
