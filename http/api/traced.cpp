#include "http/api/traced.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/signing/receipt_signer.hpp"
#include "storage/call_slices.hpp"
#include "storage/schedules.hpp"

namespace quell::http {

namespace {

using nlohmann::json;
using storage::Reader;

constexpr int audit_shown = 200, groups_shown = 1'000, tickets_counted = 1'000;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The first fault of what is asked for stands for all.
class Look {
 public:
  Look(Reader& reader, Uuid id, const Asker& asker, Instant now)
      : reader_(reader), id_(id), asker_(asker), now_(now) {
    out_.facts.id = id;
  }

  Result<Traced> all() {
    look();
    if (error_) return *error_;
    return std::move(out_);
  }

 private:
  template <class T>
  T got(Result<T> result) {
    if (result) return std::move(result).value();
    if (!error_) error_ = result.error();
    return T{};
  }

  bool is_mine(const std::string& project) const {
    return asker_.project.empty() || asker_.project == project;
  }

  void look() {
    auto found = got(reader_.get({id_}, false));
    const std::optional<JobView> job = found.empty() ? std::nullopt : std::move(found.front().job);
    const std::string schedule = job ? job->options.schedule : std::string();
    rows_ = got(reader_.trace_rows(id_, schedule, audit_shown));
    if (error_) return;
    out_.facts.forgotten = rows_.forgotten;
    if (job || rows_.tomb) {
      if (!is_mine(job ? job->project : rows_.tomb->life.project)) return;
      out_.what = Traced::What::job;
      if (job) read_job(*job);
      read_tomb(job.has_value());
      read_ticket();
      read_schedule(out_.facts.schedule);
      take_audit();
      return;
    }
    if (read_deletion() || read_task() || read_delivery() || read_other()) take_audit();
  }

  // ---- a job ----
  void read_job(const JobView& job) {
    LifeFacts& facts = out_.facts;
    facts.state = job.state;
    facts.is_there = true;
    facts.project = job.project;
    facts.queue = job.queue;
    facts.kind = job.kind;
    facts.schedule = job.options.schedule;
    facts.submitted_by = job.options.submitted_by;
    facts.due = job.due;
    facts.started = job.started;
    facts.finished = job.finished;
    facts.expires = job.expires;
    facts.attempt = job.attempt;
    facts.lost = job.lost;
    if (job.node) facts.runs_on = job.node->text();
    if (job.ran_on) facts.ran_on = job.ran_on->text();
    facts.cancel_requested = job.cancel_requested;
    facts.effects = effects_in(job.usage);
    for (const AttemptRecord& one : got(reader_.attempts(id_)))
      facts.attempts.push_back(
          {one.n, one.started, one.ended, one.outcome, code_in(one.error), one.node});
    for (const storage::DeliveryView& one : got(reader_.deliveries(id_)))
      facts.deliveries.push_back({one.endpoint, one.event, one.tries, one.in_flight, one.due});
  }

  void read_life(const storage::JobLife& life) {
    LifeFacts& facts = out_.facts;
    facts.project = life.project;
    facts.queue = life.queue;
    facts.kind = life.kind;
    facts.schedule = life.schedule;
    facts.started = life.started;
    facts.finished = life.finished;
    facts.attempt = life.attempt;
    facts.lost = life.lost;
    if (life.ran_on) facts.ran_on = life.ran_on->text();
    TombStory story = read_story(life.story);
    facts.submitted_by = std::move(story.submitted_by);
    facts.attempts = std::move(story.attempts);
    facts.attempts_left_out = story.attempts_left_out;
    facts.effects = std::move(story.effects);
    facts.hosts_left_out = story.hosts_left_out;
    facts.deliveries_were = story.deliveries;
    facts.tries_were = story.delivery_tries;
  }

  void read_tomb(bool is_there) {
    if (!rows_.tomb) return;
    const storage::Tombstone& tomb = *rows_.tomb;
    LifeFacts& facts = out_.facts;
    facts.restored = tomb.restored;
    if (!is_there) {
      facts.state = tomb.was;
      read_life(tomb.life);
    }
    out_.call = got(reader_.call(tomb.delete_id));
    LifeFacts::Deleted deleted;
    deleted.delete_id = tomb.delete_id;
    deleted.at = tomb.at;
    deleted.until = tomb.until;
    deleted.verdict = tomb.verdict;
    deleted.tells_life = !tomb.life.project.empty();
    if (out_.call) {
      deleted.who = out_.call->who;
      deleted.why = out_.call->reason;
      deleted.path = out_.call->path;
    } else {
      // Only the retention keeps no call; who it was stands in the audit.
      deleted.path = "retention";
      deleted.why = "expired";
      for (const storage::AuditRow& row : rows_.audit)
        if (row.ref == tomb.delete_id.text() && row.what == "delete") deleted.who = row.who;
    }
    facts.deleted = std::move(deleted);
    read_receipt(id_);
    read_operation(tomb.delete_id);
    if (!is_there && tomb.copy_until && *tomb.copy_until > now_) {
      facts.copy_until = tomb.copy_until;
      if (auto copy = got(reader_.copy(id_, now_))) out_.copy = std::move(copy->head);
    }
  }

  void read_ticket() {
    if (!rows_.ticket) return;
    const storage::TicketView& ticket = *rows_.ticket;
    out_.facts.leaving =
        LifeFacts::Leaving{ticket.delete_id,
                           ticket.who,
                           ticket.reason,
                           code_in(ticket.error).empty() ? ticket.error : code_in(ticket.error),
                           ticket.at,
                           ticket.tries,
                           static_cast<int>(ticket.open.size()),
                           ticket.forced};
    if (out_.call) return;
    out_.call = got(reader_.call(ticket.delete_id));
    read_receipt(id_);
    read_operation(ticket.delete_id);
  }

  void read_receipt(const std::optional<JobId>& job) {
    if (!out_.call) return;
    out_.receipt = check_receipt(out_.call->receipt, asker_.public_key, job);
    // What a stopped run had called is told by its end, and that stands in the receipt.
    const json own = json_of_ours(out_.receipt.own);
    if (own.is_object() && own.contains("run") && out_.facts.effects.empty())
      out_.facts.effects = effects_in(dump(own["run"]));
  }

  void read_operation(const Uuid& id) {
    for (const char* kind : {operation_kind, ended_operation_kind})
      if (const auto doc = got(reader_.doc(kind, id.text())); doc && !out_.operation)
        out_.operation = operation_from_json(doc->body);
  }

  void read_schedule(const std::string& text) {
    const auto id = Uuid::parse(text);
    if (!id) return;
    out_.schedule = got(reader_.schedule(*id));
    out_.schedule_is_gone = !out_.schedule;
  }

  // ---- what else an id may name ----
  bool read_deletion() {
    auto call = got(reader_.call(id_));
    const bool is_told = std::any_of(rows_.audit.begin(), rows_.audit.end(), [&](const auto& row) {
      return row.what == "delete" || row.what == "force";
    });
    if (!call && !is_told) return false;
    const auto next = next_id(id_);
    const auto groups = got(reader_.erased_groups(id_, next, groups_shown));
    const auto open = got(reader_.tickets(id_, false, now_, tickets_counted));
    if (!asker_.project.empty()) {
      const bool asked_it = call && call->who == asker_.who;
      const bool all_mine = !groups.empty() && open.empty() &&
                            std::all_of(groups.begin(), groups.end(),
                                        [&](const auto& one) { return is_mine(one.project); });
      if (!asked_it && !all_mine) return false;
    }
    out_.what = Traced::What::deletion;
    if (call) out_.waiting += std::ssize(got(storage::open_joined(reader_, *call, now_)));
    out_.call = std::move(call);
    for (const auto& group : groups) out_.erased += group.jobs;
    for (const auto& ticket : open) out_.waiting += ticket.forced ? 0 : 1;
    read_receipt({});
    read_operation(id_);
    return true;
  }

  bool read_task() {
    auto row = got(reader_.schedule(id_));
    const bool is_told = std::any_of(rows_.audit.begin(), rows_.audit.end(), [](const auto& one) {
      return one.what.starts_with("schedule.") || one.what.starts_with("task.");
    });
    if (!row && !is_told) return false;
    // A schedule that is gone does not say whose it was.
    if (!asker_.project.empty() && (!row || !is_mine(row->project))) return false;
    out_.what = Traced::What::schedule;
    out_.schedule_is_gone = !row;
    out_.schedule = std::move(row);
    return true;
  }

  bool read_delivery() {
    auto delivery = got(reader_.delivery(id_));
    if (!delivery) return false;
    if (!asker_.project.empty()) {
      if (delivery->job.is_nil()) return false;
      const auto found = got(reader_.get({delivery->job}, false));
      if (found.empty() || !found.front().job || !is_mine(found.front().job->project)) return false;
    }
    out_.what = Traced::What::delivery;
    out_.delivery = std::move(delivery);
    return true;
  }

  bool read_other() {
    if (!asker_.project.empty() || rows_.audit.empty()) return false;
    out_.what = Traced::What::other;
    read_operation(id_);
    return true;
  }

  static Uuid next_id(Uuid id) {
    for (std::size_t i = id.bytes.size(); i-- > 0;)
      if (++id.bytes[i] != 0) break;
    return id;
  }

  // One delete may have taken jobs of several projects, so its rows are for those of all.
  void take_audit() {
    if (!asker_.project.empty()) return;
    for (const storage::AuditRow& row : rows_.audit)
      out_.facts.audit.push_back({row.no, row.at, row.who, row.what, row.ref, row.detail});
    out_.audit = std::move(rows_.audit);
  }

  Reader& reader_;
  const Uuid id_;
  const Asker& asker_;
  const Instant now_;
  storage::TraceRows rows_;
  Traced out_;
  std::optional<Error> error_;
};

}  // namespace

ReceiptCheck check_receipt(const std::string& receipt, const std::string& public_key,
                           const std::optional<JobId>& job) {
  ReceiptCheck check;
  if (receipt.empty()) return check;
  check.receipt = receipt;
  const json envelope = json_of_ours(receipt);
  check.state = "unsigned";
  if (!envelope.is_object() || !envelope.contains("payload") || !envelope["payload"].is_string() ||
      !envelope.contains("signatures") || !envelope["signatures"].is_array() ||
      envelope["signatures"].empty())
    return check;
  for (const json& line : envelope["signatures"])
    if (line.is_object()) check.key_id = line.value("keyid", "");
  const Result<std::string> own_key = key_id_of(public_key);
  const bool is_own = own_key && *own_key == check.key_id;
  const bool is_valid = verify_receipt(envelope, public_key).ok();
  check.state = is_valid ? "valid" : is_own ? "invalid" : "other_key";
  const auto bytes = from_base64(envelope["payload"].get_ref<const std::string&>());
  const json told = bytes ? json_of_ours(text_of(*bytes)) : json();
  if (!told.is_object()) return check;
  if (told.contains("counts")) check.counts = dump(told["counts"]);
  if (told.contains("audit_head") && told["audit_head"].is_object())
    check.audit_no = told["audit_head"].value("no", std::int64_t{0});
  if (job && told.contains("outcomes") && told["outcomes"].is_array())
    for (const json& one : told["outcomes"])
      if (one.is_object() && one.value("job_id", "") == job->text()) check.own = dump(one);
  return check;
}

Result<Traced> trace_id(Reader& reader, Uuid id, const Asker& asker, Instant now) {
  return Look(reader, id, asker, now).all();
}

}  // namespace quell::http
