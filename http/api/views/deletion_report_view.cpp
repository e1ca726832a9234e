// A report of deletions as JSON and as CSV.
#include <fmt/format.h>

#include "http/api/deletion_report.hpp"
#include "http/api/views/csv.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http {

namespace {

void append_sums(ObjectWriter& view, const DeletionSums& sums) {
  view.number("calls", sums.calls);
  view.number("deleted", sums.deleted);
  view.number("dequeued", sums.dequeued);
  view.number("runs_stopped", sums.stopped);
  view.number("finished_first", sums.finished_first);
  view.number("at_rest", sums.at_rest);
  view.number("unproven", sums.unproven);
  view.number("slots_freed", sums.slots_freed);
  view.flag("slots_known", sums.slots_known);
  view.number("pending", sums.pending);
}

void append_report_line(std::string& out, const ReportLine& line) {
  ObjectWriter view(out);
  view.text("key", line.key);
  append_sums(view, line.sums);
  view.flag("spike", line.spike);
  view.number("audit_rows", line.audit_rows);
  append_list(view.key("audit"), line.audit,
              [](std::string& to, std::int64_t no) { append_number(to, no); });
}

void append_unproven(std::string& out, const UnprovenJob& one) {
  ObjectWriter view(out);
  view.text("job_id", one.job.text());
  view.text("delete_id", one.delete_id.text());
  view.text("verdict", to_string(one.verdict));
}

void append_raised(std::string& out, const Alert& alert) {
  ObjectWriter view(out);
  view.text("alert_id", alert.id.text());
  view.time("at", alert.at);
  view.text("who", alert.who);
  view.text("path", alert.path);
  view.text("state", to_string(alert.state));
  view.text("sentence", sentence_of(alert.spike));
}

std::string csv_line(const std::string& key, const DeletionSums& sums, bool spike,
                     std::int64_t audit_rows) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\r\n", csv_cell(key), sums.calls,
                     sums.deleted, sums.dequeued, sums.stopped, sums.finished_first, sums.at_rest,
                     sums.unproven, sums.slots_freed, sums.pending, spike ? "yes" : "no",
                     audit_rows);
}

}  // namespace

std::string report_json(const DeletionReport& report) {
  std::string out;
  {
    ObjectWriter view(out);
    view.time("since", report.since);
    view.time("until", report.until);
    view.text("by", to_string(report.by));
    append_list(view.key("lines"), report.lines, append_report_line);
    {
      ObjectWriter total(view.key("total"));
      append_sums(total, report.total);
    }
    view.flag("spike", !report.alerts.empty());
    append_list(view.key("alerts"), report.alerts, append_raised);
    append_list(view.key("unproven_jobs"), report.unproven, append_unproven);
    view.flag("is_partial", report.is_partial);
  }
  return out;
}

std::string report_csv(const DeletionReport& report) {
  std::string out = std::string(to_string(report.by)) +
                    ",calls,deleted,dequeued,runs_stopped,finished_first,at_rest,unproven,"
                    "slots_freed,pending,spike,audit_rows\r\n";
  std::int64_t rows = 0;
  for (const ReportLine& line : report.lines) {
    out += csv_line(line.key, line.sums, line.spike, line.audit_rows);
    rows += line.audit_rows;
  }
  return out + csv_line("(all)", report.total, !report.alerts.empty(), rows);
}

}  // namespace quell::http
