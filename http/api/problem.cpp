#include "http/api/problem.hpp"

#include "http/api/views/json_writer.hpp"

namespace quell::http {

namespace {

constexpr std::string_view type_base = "https://quell.dev/problems/";

void append_faults(std::string& out, const std::vector<FieldFault>& faults) {
  out += '[';
  for (const FieldFault& fault : faults) {
    if (&fault != &faults.front()) out += ',';
    ObjectWriter one(out);
    one.text("pointer", fault.pointer);
    one.text("code", info(fault.code).wire);
    one.text("detail", fault.detail);
  }
  out += ']';
}

}  // namespace

std::string problem_json(const Problem& problem, std::string_view instance,
                         std::string_view request_id) {
  const ErrorInfo& row = info(problem.code);
  std::string out;
  {
    ObjectWriter object(out);
    object.text("type", std::string{type_base}.append(row.wire));
    object.text("title", row.sentence);
    object.number("status", row.http_status);
    object.text("code", row.wire);
    if (!problem.detail.empty()) object.text("detail", problem.detail);
    if (!instance.empty()) object.text("instance", instance);
    if (!request_id.empty()) object.text("request_id", request_id);
    object.flag("retryable", row.retryable);
    if (!problem.faults.empty()) append_faults(object.key("errors"), problem.faults);
    for (const auto& [name, value] : problem.members) object.json(name, value);
  }
  return out;
}

Response problem_response(const Problem& problem, std::string_view instance,
                          std::string_view request_id) {
  const ErrorInfo& row = info(problem.code);
  Response response;
  response.status = row.http_status;
  response.content_type = "application/problem+json";
  response.body = problem_json(problem, instance, request_id);
  response.headers = problem.headers;
  if (row.http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (row.http_status == 503 || row.http_status == 429) {
    bool told = false;
    for (const auto& [name, value] : response.headers) told = told || name == "Retry-After";
    if (!told) response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

}  // namespace quell::http
