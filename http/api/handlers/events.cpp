// Following what happens, as server-sent events.
#include "http/api/api_server.hpp"
#include "http/api/found_job.hpp"
#include "http/api/handlers/handlers.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::size_t streams_per_token = 64;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    if (comma > begin) parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return parts;
}

void open_stream(const RequestPtr& call, EventFilter filter) {
  std::string last{call->request.header("Last-Event-ID")};
  if (last.empty()) last = call->query("after").value_or("");
  Response head;
  head.content_type = "text/event-stream";
  if (auto sink = call->stream(std::move(head)))
    call->api.events().add(std::move(sink), std::move(filter), call->principal.token_id, last);
}

// When the head of the answer comes, the whole fleet is listened to.
void follow_fleet(const RequestPtr& call, const EventFilter& filter) {
  call->api.node().follow_fleet(
      [call, filter] { call->post([call, filter] { open_stream(call, filter); }); });
}

}  // namespace

void follow_events(RequestPtr call) {
  if (!call->allow_only({"types", "queue", "job_id", "after"})) return;
  if (call->api.events().count() >=
      static_cast<std::size_t>(call->api.settings().event_streams_max))
    return call->fail({ErrorCode::overloaded, "Too many event streams are open."});
  if (call->api.events().count_of(call->principal.token_id) >= streams_per_token)
    return call->fail({ErrorCode::quota_exceeded, "This token has 64 event streams open."});
  EventFilter filter;
  filter.types = split(call->query("types").value_or(""));
  filter.queue = call->query("queue").value_or("");
  if (const auto text = call->query("job_id")) {
    filter.job = Uuid::parse(*text);
    if (!filter.job) return call->fail({ErrorCode::invalid_field, "'job_id' is not an id."});
  }
  if (call->principal.project.empty()) return follow_fleet(call, filter);
  // Events do not say whose they are, so a token of one project follows its own jobs by name.
  if (!filter.job)
    return call->fail({ErrorCode::forbidden, "A token of one project must name a job_id."});
  call->read([call, filter](storage::Reader& reader) {
    if (find_job(*call, reader, *filter.job, false)) follow_fleet(call, filter);
  });
}

}  // namespace quell::http::handlers
