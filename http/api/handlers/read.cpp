// One job and its parts.
#include <fmt/format.h>

#include "http/api/api_server.hpp"
#include "http/api/found_job.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_waiters.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "http/api/views/webhook_views.hpp"

namespace quell::http::handlers {

namespace {

constexpr int shown_partials = 100;
constexpr int log_page = 1'000;

std::vector<std::string> names_of(const RequestContext& call) {
  std::vector<std::string> names;
  const std::string text = call.query("fields").value_or("");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return names;
}

void answer_job(RequestContext& call, storage::Reader& reader, const JobView& job) {
  Response response;
  response.headers.emplace_back("ETag", etag(job));
  if (call.request.header("If-None-Match") == etag(job)) {
    response.status = 304;
    return call.reply(std::move(response));
  }
  JobDetail detail;
  std::vector<storage::TicketView> tickets;
  std::vector<std::pair<std::int64_t, std::string>> partials;
  if (job.delete_id) {
    Result<std::vector<storage::TicketView>> found =
        reader.tickets(*job.delete_id, false, call.api.now(), 10'000);
    if (!found) return call.fail(found.error());
    tickets = std::move(*found);
    for (const storage::TicketView& ticket : tickets)
      if (ticket.job == job.id) detail.ticket = &ticket;
  }
  if (job.attempt > 0) {
    Result<std::vector<std::pair<std::int64_t, std::string>>> found =
        reader.partials(job.id, 0, shown_partials);
    if (!found) return call.fail(found.error());
    partials = std::move(*found);
  }
  detail.partials = &partials;
  response.body.reserve(1024);
  append_job(response.body, job, detail);
  const std::vector<std::string> names = names_of(call);
  if (!names.empty()) response.body = pick_fields(response.body, names);
  call.reply(std::move(response));
}

// The store keeps no row for what the job itself still says: its running or its only attempt.
void add_last_attempt(const JobView& job, std::vector<AttemptRecord>& attempts) {
  if (job.attempt == 0 || (!attempts.empty() && attempts.back().n >= job.attempt)) return;
  if (!is_final(job.state) && job.state != JobState::running) return;
  AttemptRecord last;
  last.n = job.attempt;
  last.started = job.started;
  last.ended = job.finished.value_or(Instant{});
  last.outcome = to_string(job.state);
  last.error = job.error;
  if (job.node) last.node = job.node->text();
  attempts.push_back(std::move(last));
}

// Runs `work` with the job of parameter 0, on a reader's thread.
template <class Work>
void with_job(const RequestPtr& call, bool with_payload, Work work) {
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  call->read([call, id = *id, with_payload, work](storage::Reader& reader) {
    if (const auto job = find_job(*call, reader, id, with_payload)) work(reader, *job);
  });
}

}  // namespace

void get_job(RequestPtr call) {
  if (!call->allow_only({"fields", "wait_for", "timeout"})) return;
  const std::optional<std::string> wanted = call->query("wait_for");
  if (!wanted)
    return with_job(call, true, [call](storage::Reader& reader, const JobView& job) {
      answer_job(*call, reader, job);
    });
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  const auto timeout = call->number("timeout", 30, 0, 60);
  if (!timeout) return;
  Result<WaitFor> target = read_wait_for(*wanted);
  if (!target) return call->fail(target.error());
  const auto answer = [call](storage::Reader& reader, const JobView& job) {
    answer_job(*call, reader, job);
  };
  call->api.waiters().wait(call, *id, std::move(*target), Millis{*timeout * 1000}, answer);
}

void job_attempts(RequestPtr call) {
  if (!call->allow_only({})) return;
  with_job(call, false, [call](storage::Reader& reader, const JobView& job) {
    Result<std::vector<AttemptRecord>> attempts = reader.attempts(job.id);
    if (!attempts) return call->fail(attempts.error());
    add_last_attempt(job, *attempts);
    std::string out = "{\"attempts\":";
    append_list(out, *attempts, append_attempt);
    call->reply(200, out + '}');
  });
}

void job_logs(RequestPtr call) {
  if (!call->allow_only({"after", "limit"})) return;
  const auto after = call->number("after", 0, 0, std::numeric_limits<std::int64_t>::max());
  if (!after) return;
  const auto limit = call->number("limit", log_page, 1, log_page);
  if (!limit) return;
  with_job(call, false,
           [call, from = *after, n = static_cast<int>(*limit)](storage::Reader& reader,
                                                               const JobView& job) {
             const auto lines = reader.logs(job.id, from, n);
             if (!lines) return call->fail(lines.error());
             std::string out = "{\"logs\":";
             append_list(out, lines.value(), [](std::string& to, const auto& line) {
               ObjectWriter one(to);
               one.number("seq", line.first);
               one.time("at", line.second.at);
               one.text("level", line.second.level);
               one.text("text", line.second.text);
             });
             call->reply(200, out + '}');
           });
}

void job_partials(RequestPtr call) {
  if (!call->allow_only({"after", "limit"})) return;
  const auto after = call->number("after", 0, 0, std::numeric_limits<std::int64_t>::max());
  if (!after) return;
  const auto limit = call->number("limit", log_page, 1, log_page);
  if (!limit) return;
  with_job(call, false,
           [call, from = *after, n = static_cast<int>(*limit)](storage::Reader& reader,
                                                               const JobView& job) {
             const auto partials = reader.partials(job.id, from, n);
             if (!partials) return call->fail(partials.error());
             std::string out = "{\"partial_results\":";
             append_list(out, partials.value(), [](std::string& to, const auto& partial) {
               ObjectWriter one(to);
               one.number("seq", partial.first);
               one.json("data", partial.second);
             });
             call->reply(200, out + '}');
           });
}

void job_result(RequestPtr call) {
  if (!call->allow_only({})) return;
  with_job(call, true, [call](storage::Reader&, const JobView& job) {
    if (!is_final(job.state))
      return call->fail(Problem(ErrorCode::state_conflict, "The job has not ended yet.")
                            .member("job_status", json_string(to_string(job.state))));
    std::string out;
    {
      ObjectWriter view(out);
      view.text("job_id", job.id.text());
      view.text("status", to_string(job.state));
      view.json("result", job.result);
      view.json("error", job.error);
    }
    call->reply(200, std::move(out));
  });
}

void job_deliveries(RequestPtr call) {
  if (!call->allow_only({})) return;
  with_job(call, false, [call](storage::Reader& reader, const JobView& job) {
    const Result<std::vector<storage::DeliveryView>> found = reader.deliveries(job.id);
    if (!found) return call->fail(found.error());
    std::string out = "{\"deliveries\":";
    append_list(out, found.value(), append_delivery);
    call->reply(200, out + '}');
  });
}

}  // namespace quell::http::handlers
