#include "http/api/schedule_request.hpp"

#include <charconv>

#include "runtime/base/name.hpp"

namespace quell::http {

namespace {

constexpr double year_s = 366 * 24 * 3600;
constexpr std::size_t max_cron_bytes = 512;

// 90, "90", "90s", "15m", "2h", "1d".
std::optional<Millis> interval_of(const JsonValue& value) {
  double number = 0;
  char unit = 's';
  if (const auto whole = value.number()) {
    number = *whole;
  } else if (const auto text = value.string()) {
    const char* end = text->data() + text->size();
    const auto [stop, fault] = std::from_chars(text->data(), end, number);
    if (fault != std::errc{} || end - stop > 1) return std::nullopt;
    if (stop != end) unit = *stop;
  } else {
    return std::nullopt;
  }
  const double factor = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 86'400;
  if (std::string_view("smhd").find(unit) == std::string_view::npos) return std::nullopt;
  const double seconds = number * factor;
  if (!(seconds >= 1 && seconds <= year_s)) return std::nullopt;
  return Millis{static_cast<std::int64_t>(seconds * 1000)};
}

bool is_cleared(const JsonValue& object, std::string_view name) {
  for (const JsonMember& member : object.members())
    if (member.name == name) return member.value.is_null();
  return false;
}

void read_way(Fields& fields, TimesTold& times) {
  std::string cron;
  Instant at;
  const bool by_cron = fields.text("cron", cron, max_cron_bytes);
  const auto every = fields.member("every");
  const bool by_time = fields.time("at", at);
  if (by_cron || every || by_time) {
    times.cron.clear();
    times.every = Millis{0};
    times.at.reset();
  }
  if (by_cron) times.cron = cron;
  if (by_time) times.at = at;
  if (!every) return;
  if (const auto interval = interval_of(*every))
    times.every = *interval;
  else
    fields.wrong("every",
                 "This is an interval as in 90, \"15m\", \"2h\" or \"1d\"; one second to a "
                 "year.");
}

void read_bounds(Fields& fields, const JsonValue& object, TimesTold& times) {
  Instant at;
  if (fields.time("start_at", at)) times.start = at;
  if (fields.time("end_at", at)) times.end = at;
  if (is_cleared(object, "start_at")) times.start.reset();
  if (is_cleared(object, "end_at")) times.end.reset();
}

template <class Value>
void read_word(Fields& fields, const char* name, std::optional<Value> (*parse)(std::string_view),
               const char* words, Value& out) {
  std::string text;
  if (!fields.text(name, text, 32)) return;
  if (const auto value = parse(text))
    out = *value;
  else
    fields.wrong(name, std::string("This is one of ") + words + ".");
}

void read_times(Fields& fields, const JsonValue& object, ScheduleAsked& asked) {
  TimesTold& times = asked.terms.times;
  read_way(fields, times);
  fields.text("zone", times.zone, 64);
  fields.seconds("jitter_s", times.jitter, 0, 86'400);
  read_bounds(fields, object, times);
  read_word(fields, "misfire", &parse_misfire, "skip, once, all", times.misfire);
  std::int64_t limit = 0;
  if (fields.integer("misfire_limit", limit, 1, static_cast<std::int64_t>(fires_at_once)))
    times.misfire_limit = static_cast<int>(limit);
  read_word(fields, "overlap", &parse_overlap, "allow, skip, queue_one, cancel_old",
            asked.terms.overlap);
}

void read_status(Fields& fields, storage::ScheduleRow& row) {
  std::string text;
  if (!fields.text("status", text, 32)) return;
  const auto status = parse_schedule_status(text);
  if (!status) return fields.wrong("status", "This is ACTIVE or DISABLED.");
  if (!is_for_clients(*status))
    return fields.wrong("status", text +
                                      " is set by a delete only; a client sets ACTIVE or "
                                      "DISABLED.");
  row.status = *status;
}

void read_names(Fields& fields, const SubmitTerms& terms, bool is_new, storage::ScheduleRow& row) {
  fields.text("name", row.name, 256);
  if (row.name.empty()) fields.wrong("name", "A schedule has a name.");
  if (fields.text("group", row.group, 128) && !row.group.empty() && !is_name(row.group))
    fields.wrong("group", "A group's name has letters, digits, and . _ - only.");
  if (!is_new) return;
  std::string text;
  if (fields.text("task_uuid", text, 64)) {
    if (const auto id = Uuid::parse(text))
      row.id = *id;
    else
      fields.wrong("task_uuid", "This must be a UUID.");
  }
  if (!terms.project.empty()) row.project = terms.project;
  if (!fields.text("project", text, 128)) return;
  if (!is_name(text))
    return fields.wrong("project", "A project's name has letters, digits, and . _ - only.");
  if (!terms.project.empty() && text != terms.project)
    return fields.wrong("project", "The token belongs to another project.", ErrorCode::forbidden);
  row.project = text;
}

// What the schedule itself says is not the template's to say.
void read_template(Fields& fields, SubmitTerms terms, IdSource& ids, ScheduleAsked& asked,
                   std::vector<FieldFault>& faults) {
  const auto object = fields.member("job");
  if (!object) return;
  std::vector<FieldFault> shape;
  {
    const Fields given(*object, "/job", shape);
    for (const char* name : {"job_id", "run_at", "delay_s", "deadline_at", "project"})
      if (given.has(name))
        shape.push_back({"/job" + pointer_step(name), ErrorCode::invalid_field,
                         "The schedule says this; leave it out of its job."});
  }
  terms.project = asked.row.project;
  NewJob job = read_job(*object, "/job", terms, ids, faults);
  faults.insert(faults.end(), shape.begin(), shape.end());
  asked.terms.deadline.reset();
  if (job.options.deadline) asked.terms.deadline = *job.options.deadline - terms.now;
  job.options.deadline.reset();
  job.options.traceparent.clear();
  job.id = {};
  asked.terms.job = std::move(job);
}

}  // namespace

void read_schedule(JsonValue object, const SubmitTerms& terms, IdSource& ids, bool is_new,
                   ScheduleAsked& asked, std::vector<FieldFault>& faults) {
  Fields fields(object, "", faults);
  if (!faults.empty()) return;
  read_names(fields, terms, is_new, asked.row);
  read_times(fields, object, asked);
  read_status(fields, asked.row);
  if (is_new) fields.require("job");
  read_template(fields, terms, ids, asked, faults);
  fields.refuse_rest();
  if (!faults.empty()) return;
  const TimesTold& times = asked.terms.times;
  const auto made = ScheduleTimes::make(times, asked.row.created);
  if (made) return;
  const bool is_cron = made.error().code == ErrorCode::invalid_cron;
  const char* place = is_cron ? "/cron" : !is_time_zone(times.zone) ? "/zone" : "";
  faults.push_back({place, made.error().code, made.error().detail});
}

void set_times(storage::ScheduleRow& row, const ScheduleTerms& terms, Instant now) {
  row.next.reset();
  row.wake.reset();
  if (row.status != ScheduleStatus::active) return;
  const auto times = ScheduleTimes::make(terms.times, row.created);
  if (!times) return;
  row.next = times->next(now);
  if (row.next) row.wake = times->wake(row.id, *row.next);
}

storage::SchedulePutOp put_with_new_times(storage::ScheduleRow row, const storage::ScheduleRow& was,
                                          Instant now) {
  storage::SchedulePutOp op{std::move(row), now, was.version};
  if (!was.next || *was.next > now) return op;
  const auto before = ScheduleTimes::make(terms_from_json(was.terms).times, was.created);
  op.if_next = was.next;
  op.overdue = before ? before->overdue(*was.next, now) : 1;
  return op;
}

}  // namespace quell::http
