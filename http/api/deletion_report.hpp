// What was deleted in a span of time: how many, by whom, by which path, what of it had run, and
// what is not proven. Each line names the audit rows behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/safeguards/alert.hpp"
#include "runtime/base/result.hpp"
#include "storage/reader.hpp"

namespace quell::http {

enum class ReportBy : std::uint8_t { who, path, queue, kind };
std::string_view to_string(ReportBy by);
std::optional<ReportBy> parse_report_by(std::string_view text);

struct DeletionSums {
  std::int64_t calls = 0;
  std::int64_t deleted = 0, dequeued = 0, stopped = 0, finished_first = 0, at_rest = 0;
  std::int64_t unproven = 0, slots_freed = 0, pending = 0;
  bool slots_known = true;  // false: at least so many; of some nobody knows
};
struct ReportLine {
  std::string key;
  DeletionSums sums;
  bool spike = false;               // a call of it raised an alert
  std::vector<std::int64_t> audit;  // numbers of rows, the first of them
  std::int64_t audit_rows = 0;
};
struct UnprovenJob {
  JobId job;
  DeleteId delete_id;
  Verdict verdict = Verdict::not_confirmed;
};
struct DeletionReport {
  Instant since, until;
  ReportBy by = ReportBy::who;
  std::vector<ReportLine> lines;  // by key
  DeletionSums total;
  std::vector<Alert> alerts;
  std::vector<UnprovenJob> unproven;  // the first of them
  bool is_partial = false;            // more was deleted than one report counts
};

Result<DeletionReport> report_deletions(storage::Reader& reader, Instant since, Instant until,
                                        ReportBy by);

// Of the calls in that span, newest first.
Result<std::vector<storage::CallView>> calls_between(storage::Reader& reader, Instant since,
                                                     Instant until, std::size_t most);
// The last audit row that is older than `at`, or 0: numbers rise with time, but for the few that
// were committed at once.
Result<std::int64_t> audit_before(storage::Reader& reader, Instant at);

std::string report_json(const DeletionReport& report);
std::string report_csv(const DeletionReport& report);

}  // namespace quell::http
