#include "storage/archive_record.hpp"

#include <nlohmann/json.hpp>

namespace quell::storage {

using nlohmann::json;

namespace {

void put_time(json& out, const char* name, const std::optional<Instant>& time) {
  if (time) out[name] = time->time_since_epoch().count();
}

void put_text(json& out, const char* name, const std::string& text) {
  if (!text.empty()) out[name] = text;
}

}  // namespace

std::string ArchivePacker::pack(const ArchiveRecord& record) {
  json out{{"id", record.id.text()},    {"state", to_string(record.was)},
           {"project", record.project}, {"queue", record.queue},
           {"kind", record.kind},       {"priority", record.priority},
           {"epoch", record.epoch},     {"attempt", record.attempt},
           {"lost", record.lost}};
  put_time(out, "started", record.started);
  put_time(out, "finished", record.finished);
  put_time(out, "expires", record.expires);
  put_text(out, "args", record.args);
  put_text(out, "options", record.options);
  if (record.unique_key) out["unique_key"] = *record.unique_key;
  put_text(out, "result", record.result);
  put_text(out, "error", record.error);
  put_text(out, "usage", record.usage);
  for (const AttemptRecord& attempt : record.attempts) {
    json one{{"n", attempt.n},
             {"ended", attempt.ended.time_since_epoch().count()},
             {"outcome", attempt.outcome}};
    put_time(one, "started", attempt.started);
    put_text(one, "error", attempt.error);
    put_text(one, "node", attempt.node);
    out["attempts"].push_back(std::move(one));
  }
  for (const StepResult& step : record.steps)
    out["steps"].push_back({{"name", step.name}, {"result", step.result}});
  for (const std::string& partial : record.partials) out["partials"].push_back(partial);
  for (const LogLine& line : record.logs)
    out["logs"].push_back(
        {{"at", line.at.time_since_epoch().count()}, {"level", line.level}, {"text", line.text}});
  // Bytes that are no UTF-8 came in as somebody's log or result; they must not stop a delete.
  return packer_.pack(out.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace quell::storage
