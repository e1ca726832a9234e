// How long things are kept, what would go when, and letting what has expired go now.
#include <map>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/longest_wait.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/policy/retention_policy.hpp"

namespace quell::http::handlers {

namespace {

constexpr int counted_at_most = 1'000'000;

void write_rules(std::string& out, const RetentionRules& rules) {
  const auto days = [](Millis kept) { return setting_type::days::number(kept); };
  ObjectWriter view(out);
  view.number("succeeded_days", days(rules.succeeded));
  view.number("failed_days", days(rules.failed));
  view.number("cancelled_days", days(rules.cancelled));
  view.number("result_days", days(rules.result));
  view.number("archive_days", days(rules.archive));
}

void write_figures(ObjectWriter& view, const storage::ExpiryFigures& figures) {
  view.number("due", figures.due);
  view.number("within_a_day", figures.day);
  view.number("within_a_week", figures.week);
  view.number("later", figures.later);
}

std::string report_json(const SettingValues& settings, const storage::ExpiryReport& report,
                        Instant as_of) {
  std::string out;
  {
    ObjectWriter view(out);
    {
      ObjectWriter sweep(view.key("sweep"));
      sweep.flag("on", settings.retention_sweep);
      sweep.number("every_s", setting_type::seconds::number(settings.retention_every));
      sweep.number("most", settings.retention_most);
    }
    write_rules(view.key("rules"), RetentionRules::of(settings));
    {
      ObjectWriter queues(view.key("queues"));
      for (const auto& [queue, rules] : rules_of_queues(settings))
        write_rules(queues.key(queue), rules);
    }
    append_list(view.key("records"), report.records,
                [](std::string& to, const storage::ExpiryRow& row) {
                  ObjectWriter one(to);
                  one.text("queue", row.queue);
                  one.text("status", to_string(row.state));
                  write_figures(one, row.n);
                });
    {
      ObjectWriter results(view.key("results"));
      write_figures(results, report.results);
    }
    {
      ObjectWriter copies(view.key("copies"));
      write_figures(copies, report.copies);
    }
    view.flag("is_partial", report.is_partial);
    view.time("as_of", as_of);
  }
  return out;
}

std::string ran_json(const RetentionReport& report) {
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  std::string out;
  {
    ObjectWriter view(out);
    view.flag("complete", report.complete);
    view.flag("dry_run", report.dry_run);
    view.number("due", number(report.due));
    view.number("results_due", number(report.results_due));
    view.number("copies_due", number(report.copies_due));
    view.flag("due_is_partial", report.due_is_partial);
    view.number("deleted", number(report.deleted));
    view.number("failed", number(report.failed));
    view.number("results_ended", number(report.results_ended));
    view.number("copies_ended", number(report.copies_ended));
    view.flag("confirmation_needed", report.confirmation_needed);
    view.text_or_null("stopped", report.stopped);
  }
  return out;
}

}  // namespace

void get_retention(RequestPtr call) {
  if (!call->allow_only({})) return;
  if (!call->is_of_all_projects("Retention is")) return;
  call->read([call](storage::Reader& reader) {
    const Instant now = call->api.now();
    const SettingValues& settings = call->api.node().settings();
    const auto kept = std::make_shared<Protection>(
        Protection{settings.protected_queues, settings.protected_tags});
    const auto report = reader.expiries(now, counted_at_most, kept);
    if (!report) return call->fail(report.error());
    call->reply(200, report_json(call->api.node().settings(), *report, now));
  });
}

void run_retention(RequestPtr call) {
  if (!call->allow_only({})) return;
  if (!call->is_of_all_projects("Retention is")) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  RetentionRun run;
  run.who = call->principal.who();
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  std::int64_t confirm = 0;
  if (fields.integer("confirm_count", confirm, 1, 1'000'000'000))
    run.confirm = static_cast<std::uint64_t>(confirm);
  fields.flag("confirm", run.confirmed);
  run.confirmed = run.confirmed || run.confirm;
  fields.flag("validate_only", run.dry_run);
  fields.seconds("wait", run.wait, 0, longest_wait_s);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  call->api.node().run_retention(
      std::move(run), call->on_loop<RetentionReport>([call](Result<RetentionReport> report) {
        if (!report) return call->fail(report.error());
        call->reply(200, ran_json(*report));
      }));
}

}  // namespace quell::http::handlers
