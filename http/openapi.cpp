#include "http/openapi.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "http/json_writer.hpp"
#include "http/router.hpp"
#include "http/version.hpp"
#include "http/views.hpp"

namespace quell::http {

namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

void append_parameters(std::string& out, std::string_view path) {
  std::vector<std::string_view> names;
  for (std::size_t open = path.find('{'); open != std::string_view::npos;
       open = path.find('{', open + 1))
    names.push_back(path.substr(open + 1, path.find('}', open) - open - 1));
  append_list(out, names, [](std::string& to, std::string_view name) {
    ObjectWriter one(to);
    one.text("name", name);
    one.text("in", "path");
    one.flag("required", true);
    one.json("schema", R"({"type":"string"})");
  });
}

std::string_view reply_schema(const Route& route) {
  if (route.name == "get_job") return R"({"$ref":"#/components/schemas/Job"})";
  if (route.name == "bulk_delete" || route.name == "bulk_delete_old" || route.name == "delete_job")
    return R"({"$ref":"#/components/schemas/DeleteReply"})";
  return R"({"type":"object"})";
}

std::string_view body_schema(const Route& route) {
  if (route.name == "submit_job") return R"({"$ref":"#/components/schemas/NewJob"})";
  if (route.name == "bulk_submit") return R"({"$ref":"#/components/schemas/NewJobs"})";
  if (route.name == "bulk_delete" || route.name == "bulk_delete_old")
    return R"({"$ref":"#/components/schemas/BulkDelete"})";
  return R"({"type":"object"})";
}

bool is_text(const Route& route) {
  return route.name == "metrics" || route.name == "follow_events";
}

void append_operation(std::string& out, const Route& route) {
  ObjectWriter operation(out);
  operation.text("operationId", route.name);
  operation.text("summary", route.sentence);
  const std::string_view path = route.path;
  std::string_view tag = path.substr(0, 8) == "/api/v1/" ? path.substr(8) : "probes";
  operation.json("tags", "[" + json_string(tag.substr(0, tag.find('/'))) + "]");
  operation.text("x-scope", route.need.name());
  operation.json("security", route.need.is_open ? "[]" : R"([{"bearer":[]}])");
  if (path.find('{') != std::string_view::npos)
    append_parameters(operation.key("parameters"), path);
  if (route.body != BodySize::none)
    operation.json("requestBody", R"({"content":{"application/json":{"schema":)" +
                                      std::string{body_schema(route)} + "}}}");
  const std::string type = is_text(route) ? "text/plain" : "application/json";
  const std::string schema =
      is_text(route) ? R"({"type":"string"})" : std::string{reply_schema(route)};
  operation.json(
      "responses",
      R"({"2XX":{"description":"done, or accepted","content":{")" + type + R"(":{"schema":)" +
          schema + R"(}}},"default":{"description":"refused, or failed","content":{)" +
          R"("application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}})");
}

constexpr std::string_view components = R"json({
 "securitySchemes":{"bearer":{"type":"http","scheme":"bearer"}},
 "schemas":{
  "Problem":{
   "type":"object","required":["type","title","status","code","retryable"],
   "properties":{
    "type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
    "code":{"type":"string"},"detail":{"type":"string"},"instance":{"type":"string"},
    "request_id":{"type":"string"},"retryable":{"type":"boolean"},
    "errors":{
     "type":"array",
     "items":{
      "type":"object","required":["pointer","code","detail"],
      "properties":{"pointer":{"type":"string"},"code":{"type":"string"},
       "detail":{"type":"string"}}}}}},
  "NewJob":{
   "type":"object","required":["kind"],"additionalProperties":false,
   "properties":{
    "kind":{"type":"string"},"args":{"type":"object"},"queue":{"type":"string"},
    "project":{"type":"string"},"priority":{"type":"integer","minimum":0,"maximum":9},
    "run_at":{"type":"string","format":"date-time"},"delay_s":{"type":"number"},
    "deadline_at":{"type":"string","format":"date-time"},"deadline_s":{"type":"number"},
    "max_attempts":{"type":"integer","minimum":1},"timeout_s":{"type":"number"},
    "backoff_s":{"type":"number"},"backoff_max_s":{"type":"number"},
    "unique_key":{"type":"string","maxLength":255},
    "limit_key":{"type":"string","maxLength":255},
    "tags":{"type":"array","maxItems":200,"items":{"type":"string"}},
    "webhook":{"type":"string"},"protected":{"type":"boolean"},
    "job_id":{"type":"string","format":"uuid"}}},
  "NewJobs":{"type":"object","required":["jobs"],"additionalProperties":false,
   "properties":{"jobs":{"type":"array","minItems":1,"maxItems":10000,
    "items":{"$ref":"#/components/schemas/NewJob"}}}},
  "Job":{
   "type":"object","required":["job_id","kind","status","queue","project","epoch"],
   "properties":{
    "job_id":{"type":"string"},"project":{"type":"string"},"kind":{"type":"string"},
    "status":{
     "enum":[
      "scheduled","queued","running","succeeded","failed","cancelled","pending_delete",
      "delete_failed"]},
    "progress":{"type":["number","null"]},"current_phase":{"type":["string","null"]},
    "partial_results":{"type":"array"},"queue":{"type":"string"},"priority":{"type":"integer"},
    "attempt":{"type":"integer"},"max_attempts":{"type":"integer"},"epoch":{"type":"integer"},
    "deletion":{"type":["object","null"]},"etag":{"type":"string"}}},
  "BulkDelete":{
   "type":"object","required":["job_ids"],
   "properties":{
    "job_ids":{"type":"array","minItems":1,"maxItems":1000,
     "items":{"type":"string","format":"uuid"}},
    "reason":{"type":"string"},"wait":{"type":"number","minimum":0,"maximum":30},
    "grace_ms":{"type":"integer"},"confirm":{"type":"boolean"},
    "validate_only":{"type":"boolean"},"allow_missing":{"type":"boolean"},
    "archive":{"type":"boolean"},"atomic":{"const":false}}},
  "Counts":{
   "type":"object",
   "required":[
    "requested","distinct","deleted","dequeued","killed","finished_first","at_rest","unproven",
    "slots_freed","already_gone","pending","failed"],
   "additionalProperties":{"type":"integer"}},
  "DeleteReply":{
   "type":"object",
   "required":[
    "success","message","deleted_count","tasks_revoked","redis_removed","queue_removed",
    "delete_id","counts","outcomes","receipt"],
   "properties":{
    "success":{"type":"boolean"},"message":{"type":"string"},"deleted_count":{"type":"integer"},
    "tasks_revoked":{"type":"integer"},"redis_removed":{"type":"integer"},
    "queue_removed":{"type":"integer"},"delete_id":{"type":"string"},
    "counts":{"$ref":"#/components/schemas/Counts"},
    "outcomes":{"type":"array","items":{"type":"object","required":["job_id","outcome"]}},
    "receipt":{"type":["object","null"]}}}}})json";

}  // namespace

std::string openapi_json() {
  std::map<std::string_view, std::vector<const Route*>> paths;
  for (const Route& route : routes()) paths[route.path].push_back(&route);
  std::string out;
  {
    ObjectWriter document(out);
    document.text("openapi", "3.1.0");
    document.json("info", R"({"title":"quell","version":)" + json_string(version) +
                              R"(,"description":"A job runtime in which delete means deleted."})");
    {
      ObjectWriter all(document.key("paths"));
      for (const auto& [path, operations] : paths) {
        ObjectWriter item(all.key(path));
        for (const Route* route : operations)
          append_operation(item.key(lower(route->method)), *route);
      }
    }
    document.json("components", components);
  }
  return out;
}

}  // namespace quell::http
