#include "http/api/request_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/api/api_server.hpp"
#include "http/api/longest_wait.hpp"
#include "runtime/base/utf8.hpp"

namespace quell::http {

namespace {
constexpr std::size_t reason_max = 1'024;
}  // namespace

RequestContext::RequestContext(ApiServer& home, Request asked, std::shared_ptr<Responder> answer_to)
    : api(home),
      request(std::move(asked)),
      responder(std::move(answer_to)),
      began(std::chrono::steady_clock::now()) {
  const auto is_text = [](const std::string& value) {
    return is_utf8(value) && value.find('\0') == std::string::npos;
  };
  query_is_broken_ = !parse_query(request.query, pairs_);
  for (const auto& [name, value] : pairs_)
    query_is_broken_ = query_is_broken_ || !is_text(name) || !is_text(value);
}

void RequestContext::reply(int status, std::string json) {
  Response response;
  response.status = status;
  response.body = std::move(json);
  reply(std::move(response));
}

void RequestContext::reply(Response response) {
  response.headers.emplace_back("X-Request-Id", request_id);
  const auto is_cache_rule = [](const auto& header) { return header.first == "Cache-Control"; };
  if (std::none_of(response.headers.begin(), response.headers.end(), is_cache_rule))
    response.headers.emplace_back("Cache-Control", "no-store");
  for (auto& header : extra_headers) response.headers.push_back(std::move(header));
  api.note(*this, response.status);
  responder->respond(std::move(response));
}

void RequestContext::fail(const Problem& problem) {
  reply(problem_response(problem, request.path, request_id));
}

std::shared_ptr<EventSink> RequestContext::stream(Response head) {
  head.headers.emplace_back("X-Request-Id", request_id);
  head.headers.emplace_back("Cache-Control", "no-store");
  api.note(*this, head.status);
  return responder->stream(std::move(head));
}

bool RequestContext::allow_only(std::initializer_list<std::string_view> names) {
  if (query_is_broken_)
    return fail({ErrorCode::invalid_field,
                 "The query has a broken percent escape, or is not text."}),
           false;
  for (const auto& [name, value] : pairs_) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return fail({ErrorCode::unknown_field, fmt::format("Query parameter '{}'.", name)}), false;
    const auto same = [&name = name](const auto& pair) { return pair.first == name; };
    if (std::count_if(pairs_.begin(), pairs_.end(), same) > 1)
      return fail({ErrorCode::invalid_field, fmt::format("'{}' is given twice.", name)}), false;
  }
  return true;
}

std::optional<std::string> RequestContext::query(std::string_view name) const {
  for (const auto& pair : pairs_)
    if (pair.first == name) return pair.second;
  return std::nullopt;
}

std::optional<std::int64_t> RequestContext::number(std::string_view name, std::int64_t fallback,
                                                   std::int64_t low, std::int64_t high) {
  const std::optional<std::string> text = query(name);
  if (!text) return fallback;
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, fault] = std::from_chars(text->data(), end, value);
  if (fault == std::errc{} && stop == end && value >= low && value <= high) return value;
  fail({ErrorCode::invalid_field,
        fmt::format("'{}' must be a whole number from {} to {}.", name, low, high)});
  return std::nullopt;
}

std::optional<bool> RequestContext::boolean(std::string_view name) {
  const std::optional<std::string> text = query(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  fail({ErrorCode::invalid_field, fmt::format("'{}' must be true or false.", name)});
  return std::nullopt;
}

bool RequestContext::read_wait(Millis& wait, bool or_header) {
  std::string text = query("wait").value_or("");
  if (text.empty() && or_header) {
    const std::string_view prefer = request.header("Prefer");
    const std::size_t at = prefer.find("wait=");
    if (at != std::string_view::npos)
      text = prefer.substr(at + 5, prefer.find_first_of(",; ", at + 5) - (at + 5));
  }
  if (text.empty()) return true;
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, seconds);
  if (fault != std::errc{} || stop != end || !(seconds >= 0 && seconds <= longest_wait_s))
    return fail({ErrorCode::invalid_field, "'wait' is a number of seconds from 0 to 30."}), false;
  wait = Millis{static_cast<std::int64_t>(seconds * 1000)};
  return true;
}

bool RequestContext::read_reason(std::string& reason) {
  const auto text = query("reason");
  if (!text) return true;
  if (text->size() > reason_max)
    return fail({ErrorCode::invalid_field,
                 fmt::format("'reason' may have at most {} bytes.", reason_max)}),
           false;
  reason = *text;
  return true;
}

std::optional<Uuid> RequestContext::id(std::size_t at, ErrorCode not_here) {
  std::optional<Uuid> found = Uuid::parse(params.at(at));
  if (!found) fail({not_here, "This is not an id; ids are UUIDs."});
  return found;
}

bool RequestContext::expects_json() {
  const std::string_view type = request.header("Content-Type");
  const std::string_view name = type.substr(0, type.find_first_of("; \t"));
  if (same_text(name, "application/json")) return true;
  return fail({ErrorCode::unsupported_media_type}), false;
}

std::optional<JsonValue> RequestContext::body() {
  if (request.body.empty() && !request.has_header("Content-Type")) return JsonValue{"{}"};
  if (!expects_json()) return std::nullopt;
  if (request.body.empty()) return JsonValue{"{}"};
  Result<JsonValue> read = read_json(request.body);
  if (!read) return fail(read.error()), std::nullopt;
  if (read->kind() != JsonKind::object)
    return fail({ErrorCode::invalid_json, "The body must be an object."}), std::nullopt;
  return *read;
}

bool RequestContext::has_empty_body() {
  const std::optional<JsonValue> members = body();
  if (!members) return false;
  std::vector<FieldFault> faults;
  Fields fields(*members, "", faults);
  fields.refuse_rest();
  if (faults.empty()) return true;
  return fail(faults_problem(std::move(faults))), false;
}

bool RequestContext::is_of_all_projects(std::string_view what) {
  if (principal.project.empty()) return true;
  return fail({ErrorCode::forbidden, fmt::format("{} for tokens of all projects.", what)}), false;
}

std::optional<std::string> RequestContext::project_for(const std::string& asked) const {
  if (principal.project.empty()) return asked.empty() ? "default" : asked;
  if (asked.empty() || asked == principal.project) return principal.project;
  return std::nullopt;
}

void RequestContext::read(std::function<void(storage::Reader&)> work) {
  api.node().read(std::move(work));
}

void RequestContext::post(std::function<void()> work) {
  api.loop().post(std::move(work));
}

}  // namespace quell::http
