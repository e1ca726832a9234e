// What was deleted in a span of time: the report, and the folder that proves it.
#include "http/api/evidence.hpp"

#include "http/api/api_server.hpp"
#include "http/api/deletion_report.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/utf8.hpp"

namespace quell::http::handlers {

namespace {

constexpr Millis span_default{std::chrono::hours{24}};

struct Span {
  Instant since, until;
};

// Nothing, and answered, when a time is none or they are the wrong way round.
std::optional<Span> span_of(RequestContext& call, const std::optional<std::string>& since,
                            const std::optional<std::string>& until) {
  const Instant now = call.api.now();
  Span span{now - span_default, now + Millis{1}};
  for (const auto& [text, at] : {std::pair(&since, &span.since), std::pair(&until, &span.until)}) {
    if (!*text) continue;
    const auto time = parse_time(**text);
    if (!time)
      return call.fail({ErrorCode::invalid_field,
                        "'since' and 'until' are times, as 2026-01-31T12:00:00Z."}),
             std::nullopt;
    *at = *time;
  }
  if (span.since >= span.until)
    return call.fail({ErrorCode::invalid_field, "'since' must lie before 'until'."}), std::nullopt;
  return span;
}

std::string evidence_json(const Evidence& evidence) {
  std::string out;
  {
    ObjectWriter view(out);
    view.number("audit_rows", evidence.audit_rows);
    view.number("waiting_for_seal", evidence.waiting);
    view.number("receipts", evidence.receipts);
    view.flag("chain_holds", evidence.chain_holds);
    append_list(view.key("files"), evidence.files, [](std::string& to, const EvidenceFile& file) {
      ObjectWriter one(to);
      one.text("name", file.name);
      const bool is_text = is_utf8(file.bytes);
      one.text("encoding", is_text ? "utf-8" : "base64");
      one.text("content", is_text ? file.bytes : base64(file.bytes));
    });
  }
  return out;
}

void export_now(const RequestPtr& call, const Span& span) {
  call->read([call, span](storage::Reader& reader) {
    const Node& node = call->api.node();
    const EvidenceOrder order{span.since,
                              span.until,
                              call->api.now(),
                              call->principal.who(),
                              node.public_key_pem(),
                              [&node](std::string_view bytes) { return node.signature_of(bytes); }};
    const Result<Evidence> evidence = make_evidence(reader, order);
    if (!evidence) return call->fail(evidence.error());
    call->reply(200, evidence_json(*evidence));
  });
}

}  // namespace

void report_deletions(RequestPtr call) {
  if (!call->allow_only({"since", "until", "by"})) return;
  if (!call->is_of_all_projects("The report of deletions is")) return;
  const auto by = parse_report_by(call->query("by").value_or("who"));
  if (!by) return call->fail({ErrorCode::invalid_field, "'by' takes who, path, queue or kind."});
  const auto span = span_of(*call, call->query("since"), call->query("until"));
  if (!span) return;
  call->read([call, span = *span, by = *by](storage::Reader& reader) {
    const auto report = http::report_deletions(reader, span.since, span.until, by);
    if (!report) return call->fail(report.error());
    call->reply(200, report_json(*report));
  });
}

// Whoever takes evidence away is in the log that it is taken from.
void export_evidence(RequestPtr call) {
  if (!call->allow_only({})) return;
  if (!call->is_of_all_projects("Evidence is")) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  std::string since, until;
  const bool has_since = fields.text("since", since, 64),
             has_until = fields.text("until", until, 64);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  const auto span = span_of(*call, has_since ? std::optional(since) : std::nullopt,
                            has_until ? std::optional(until) : std::nullopt);
  if (!span) return;
  storage::Batch batch;
  batch.audits.push_back({call->api.now(), call->principal.who(), "evidence.exported", "",
                          "{\"since\":" + json_string(time_text(span->since)) +
                              ",\"until\":" + json_string(time_text(span->until)) + "}"});
  call->api.node().write(
      std::move(batch),
      call->on_loop<storage::Outcome>([call, span = *span](const Result<storage::Outcome>& done) {
        if (!done) return call->fail(done.error());
        export_now(call, span);
      }));
}

}  // namespace quell::http::handlers
