#include "http/api/deletion_report.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "storage/notice_time.hpp"

namespace quell::http {

namespace {

using storage::CallView;
using storage::ErasedGroup;
using storage::Reader;

constexpr int groups_most = 200'000, tickets_most = 100'000, audit_page = 1'000;
constexpr std::size_t calls_most = 100'000, audit_listed = 100, unproven_listed = 100;
constexpr std::int64_t audit_most = 1'000'000;
// Rows that were committed at once may have numbers out of the order of their times.
constexpr std::int64_t audit_skew = 1'000;

bool is_of_delete(const storage::AuditRow& row) {
  return row.what == "delete" || row.what == "force";
}

// How many permits such a job gave back; nothing: nobody knows.
std::optional<std::int64_t> slots_of(Verdict verdict) {
  if (verdict == Verdict::stopped || verdict == Verdict::reaped) return 1;
  if (verdict == Verdict::process_died || proof_of(verdict) != Proof::proven) return std::nullopt;
  return 0;
}

void add(DeletionSums& sums, CountsAs what, std::int64_t jobs) {
  sums.deleted += jobs;
  switch (what) {
    case CountsAs::dequeued:
      sums.dequeued += jobs;
      break;
    case CountsAs::killed:
      sums.stopped += jobs;
      break;
    case CountsAs::finished_first:
      sums.finished_first += jobs;
      break;
    case CountsAs::at_rest:
      sums.at_rest += jobs;
      break;
    case CountsAs::unproven:
      sums.unproven += jobs;
      break;
  }
}

void add(DeletionSums& sums, const ErasedGroup& group) {
  add(sums, counts_as(group.was, group.verdict), group.jobs);
  if (const auto slots = slots_of(group.verdict))
    sums.slots_freed += *slots * group.jobs;
  else
    sums.slots_known = false;
}

// What the call's own counts say, as its receipt has them; false while it has none.
bool add_counts(DeletionSums& sums, const CallView& call) {
  const nlohmann::json counts = json_of_ours(call.counts);
  if (!counts.is_object() || !counts.contains("deleted")) return false;
  const auto number = [&counts](const char* name) {
    const auto at = counts.find(name);
    return at != counts.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  };
  sums.deleted += number("deleted");
  sums.dequeued += number("dequeued");
  sums.stopped += number("killed");
  sums.finished_first += number("finished_first");
  sums.at_rest += number("at_rest");
  sums.unproven += number("unproven");
  sums.slots_freed += number("slots_freed");
  if (number("unproven") > 0) sums.slots_known = false;
  return true;
}

// A call that joined others says of their jobs that they are deleted, as they are; the deletion is
// theirs all the same, and counts once. Its receipt names them.
void take_joined_out(DeletionSums& sums, const CallView& call) {
  const nlohmann::json envelope = json_of_ours(call.receipt);
  if (!envelope.is_object()) return;
  const auto bytes = from_base64(envelope.value("payload", ""));
  if (!bytes) return;
  const nlohmann::json payload = json_of_ours(text_of(*bytes));
  if (!payload.is_object() || !payload.contains("outcomes")) return;
  for (const nlohmann::json& one : payload["outcomes"]) {
    if (!one.value("joined", false) || one.value("outcome", "") != to_string(JobFate::deleted))
      continue;
    const auto was = parse_state(one.value("was", ""));
    const auto verdict = parse_verdict(one.value("verdict", ""));
    if (was && verdict) add(sums, counts_as(*was, *verdict), -1);
  }
  sums.slots_known = sums.unproven == 0;
}

void add(DeletionSums& sums, const DeletionSums& more) {
  sums.calls += more.calls;
  sums.deleted += more.deleted;
  sums.dequeued += more.dequeued;
  sums.stopped += more.stopped;
  sums.finished_first += more.finished_first;
  sums.at_rest += more.at_rest;
  sums.unproven += more.unproven;
  sums.slots_freed += more.slots_freed;
  sums.pending += more.pending;
  sums.slots_known = sums.slots_known && more.slots_known;
}

// All of one delete call.
struct OneCall {
  std::optional<CallView> call;  // none: what expired
  std::vector<ErasedGroup> groups;
  std::vector<std::int64_t> audit;
  std::string who;  // of the audit, when no call is kept
  std::int64_t pending = 0;
  bool spike = false;
};

class Reporter {
 public:
  Reporter(Reader& reader, Instant since, Instant until, ReportBy by) : reader_(reader) {
    report_.since = since;
    report_.until = until;
    report_.by = by;
  }

  Result<DeletionReport> make() {
    for (const auto step : {&Reporter::read_groups, &Reporter::read_calls, &Reporter::read_open,
                            &Reporter::read_alerts, &Reporter::read_audit})
      if (Result<void> done = (this->*step)(); !done) return done.error();
    for (const auto& [id, one] : calls_) count(one);
    for (auto& [key, line] : lines_) {
      line.key = key;
      report_.lines.push_back(std::move(line));
    }
    if (Result<void> done = list_unproven(); !done) return done.error();
    return std::move(report_);
  }

 private:
  Result<void> read_groups() {
    auto groups = reader_.erased_groups(storage::first_id_at(report_.since),
                                        storage::first_id_at(report_.until), groups_most);
    if (!groups) return groups.error();
    if (std::ssize(*groups) == groups_most) report_.is_partial = true;
    for (ErasedGroup& group : *groups) calls_[group.delete_id].groups.push_back(std::move(group));
    return {};
  }

  Result<void> read_calls() {
    auto found = calls_between(reader_, report_.since, report_.until, calls_most);
    if (!found) return found.error();
    if (found->size() == calls_most) report_.is_partial = true;
    for (CallView& call : *found) {
      OneCall& one = calls_[call.delete_id];
      one.call = std::move(call);
    }
    return {};
  }

  Result<void> read_open() {
    const auto open = reader_.tickets(std::nullopt, false, report_.until, tickets_most);
    if (!open) return open.error();
    for (const storage::TicketView& ticket : *open)
      if (const auto at = calls_.find(ticket.delete_id); at != calls_.end() && !ticket.forced)
        at->second.pending += 1;
    return {};
  }

  Result<void> read_alerts() {
    const auto docs = reader_.docs(alert_kind, "");
    if (!docs) return docs.error();
    for (const storage::Doc& doc : *docs) {
      auto alert = alert_of(doc);
      if (!alert || alert->at < report_.since || alert->at >= report_.until) continue;
      if (const auto at = calls_.find(alert->id); at != calls_.end()) at->second.spike = true;
      report_.alerts.push_back(std::move(*alert));
    }
    return {};
  }

  // A call that is not finished has rows behind the span too; they are its own all the same.
  Result<void> read_audit() {
    const auto from = audit_before(reader_, report_.since);
    if (!from) return from.error();
    std::int64_t seen = 0;
    for (std::int64_t after = *from;;) {
      const auto rows = reader_.audit(after, audit_page);
      if (!rows) return rows.error();
      for (const storage::AuditRow& row : *rows) take_row(row);
      if (std::ssize(*rows) < audit_page) return {};
      after = rows->back().no;
      if ((seen += audit_page) >= audit_most) {
        report_.is_partial = true;
        return {};
      }
    }
  }

  void take_row(const storage::AuditRow& row) {
    if (!is_of_delete(row)) return;
    const auto id = Uuid::parse(row.ref);
    const auto at = id ? calls_.find(*id) : calls_.end();
    if (at == calls_.end()) return;
    at->second.audit.push_back(row.no);
    if (at->second.who.empty()) at->second.who = row.who;
  }

  void count(const OneCall& one) {
    if (report_.by == ReportBy::queue || report_.by == ReportBy::kind) return count_groups(one);
    // A call that found nothing is a call all the same.
    DeletionSums sums;
    sums.calls = 1;
    sums.pending = one.pending;
    if (!one.call || one.pending > 0 || !add_counts(sums, *one.call))
      for (const ErasedGroup& group : one.groups) add(sums, group);
    std::int64_t erased = 0;
    for (const ErasedGroup& group : one.groups) erased += group.jobs;
    if (one.call && sums.deleted > erased) take_joined_out(sums, *one.call);
    const std::string& who = one.call ? one.call->who : one.who;
    const std::string path = one.call ? one.call->path : "retention";
    put(report_.by == ReportBy::who ? who : path, sums, one);
    add(report_.total, sums);
  }

  void count_groups(const OneCall& one) {
    std::map<std::string, DeletionSums> parts;
    for (const ErasedGroup& group : one.groups)
      add(parts[report_.by == ReportBy::queue ? group.queue : group.kind], group);
    for (auto& [key, sums] : parts) {
      sums.calls = 1;
      put(key, sums, one);
      add(report_.total, sums);
    }
    // Of what has not gone yet nobody has asked where it waits.
    report_.total.pending += one.pending;
    if (parts.size() > 1) report_.total.calls -= std::ssize(parts) - 1;
  }

  void put(const std::string& key, const DeletionSums& sums, const OneCall& one) {
    ReportLine& line = lines_[key];
    add(line.sums, sums);
    line.spike = line.spike || one.spike;
    line.audit_rows += std::ssize(one.audit);
    for (const std::int64_t no : one.audit)
      if (line.audit.size() < audit_listed) line.audit.push_back(no);
  }

  Result<void> list_unproven() {
    for (const auto& [id, one] : calls_) {
      const bool any = std::any_of(one.groups.begin(), one.groups.end(), [](const auto& group) {
        return proof_of(group.verdict) == Proof::unproven;
      });
      for (std::optional<JobId> after; any && report_.unproven.size() < unproven_listed;) {
        const auto page = reader_.tombstones(id, after, audit_page);
        if (!page) return page.error();
        for (const storage::Tombstone& tomb : *page)
          if (proof_of(tomb.verdict) == Proof::unproven &&
              report_.unproven.size() < unproven_listed)
            report_.unproven.push_back({tomb.job, id, tomb.verdict});
        if (std::ssize(*page) < audit_page) break;
        after = page->back().job;
      }
    }
    return {};
  }

  Reader& reader_;
  DeletionReport report_;
  std::map<DeleteId, OneCall> calls_;
  std::map<std::string, ReportLine> lines_;
};

}  // namespace

std::string_view to_string(ReportBy by) {
  constexpr std::array<std::string_view, 4> names{"who", "path", "queue", "kind"};
  return names.at(static_cast<std::size_t>(by));
}

std::optional<ReportBy> parse_report_by(std::string_view text) {
  for (const ReportBy by : {ReportBy::who, ReportBy::path, ReportBy::queue, ReportBy::kind})
    if (to_string(by) == text) return by;
  return std::nullopt;
}

Result<std::vector<CallView>> calls_between(Reader& reader, Instant since, Instant until,
                                            std::size_t most) {
  const DeleteId first = storage::first_id_at(since);
  std::vector<CallView> found;
  for (DeleteId after = storage::first_id_at(until);;) {
    auto page = reader.calls(after, audit_page);
    if (!page) return page.error();
    for (CallView& call : *page) {
      if (call.delete_id < first || found.size() == most) return found;
      after = call.delete_id;
      found.push_back(std::move(call));
    }
    if (std::ssize(*page) < audit_page) return found;
  }
}

Result<std::int64_t> audit_before(Reader& reader, Instant at) {
  std::int64_t low = 0, step = 1;
  // Looks ahead in doubling steps, then halves: a dozen reads of one row.
  const auto is_older = [&](std::int64_t no) -> Result<bool> {
    const auto rows = reader.audit(no, 1);
    if (!rows) return rows.error();
    return !rows->empty() && rows->front().at < at;
  };
  for (;; step *= 2) {
    const Result<bool> older = is_older(low + step);
    if (!older) return older.error();
    if (!*older) break;
    low += step;
  }
  for (; step > 1; step /= 2) {
    const Result<bool> older = is_older(low + step / 2);
    if (!older) return older.error();
    if (*older) low += step / 2;
  }
  return std::max<std::int64_t>(0, low - audit_skew);
}

Result<DeletionReport> report_deletions(Reader& reader, Instant since, Instant until, ReportBy by) {
  return Reporter(reader, since, until, by).make();
}

}  // namespace quell::http
