#include "runtime/celery/message.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell::celery {

namespace {

using Json = nlohmann::json;
constexpr int lowest_priority = 9;

Error wrong(const std::string& sentence) {
  return Error{ErrorCode::invalid_field, sentence};
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Json& object_in(const Json& object, const char* name) {
  static const Json none = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : none;
}

bool has_value(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null();
}

// Signed digits of exactly this length.
bool digits(std::string_view text, std::size_t at, std::size_t length, int& value) {
  if (at + length > text.size()) return false;
  value = 0;
  for (const char c : text.substr(at, length)) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  return true;
}

// "+01:00", "-0530", "Z" or nothing.
std::optional<int> zone_minutes(std::string_view zone) {
  if (zone.empty() || zone == "Z") return 0;
  int hours = 0, minutes = 0;
  const bool colon = zone.size() == 6 && zone[3] == ':';
  if ((zone.front() != '+' && zone.front() != '-') || (!colon && zone.size() != 5) ||
      !digits(zone, 1, 2, hours) || !digits(zone, colon ? 4 : 3, 2, minutes))
    return std::nullopt;
  return (zone.front() == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= id_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

std::optional<Instant> time_of(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!digits(text, 0, 4, year) || !digits(text, 5, 2, month) || !digits(text, 8, 2, day) ||
      !digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) || !digits(text, 17, 2, second))
    return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::size_t at = 19;
  int millis = 0;
  if (at < text.size() && text[at] == '.') {
    int scale = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      millis += (text[at] - '0') * scale;
  }
  const std::optional<int> zone = zone_minutes(text.substr(at));
  if (!zone) return std::nullopt;
  return Instant{std::chrono::sys_days{date}.time_since_epoch()} + std::chrono::hours{hour} +
         std::chrono::minutes{minute - *zone} + std::chrono::seconds{second} + Millis{millis};
}

Result<Message> read_message(std::string_view envelope) {
  const Json json = json_from_outside(envelope);
  if (!json.is_object()) return wrong("The message is no JSON object that this door reads.");
  const Json& headers = object_in(json, "headers");
  const Json& properties = object_in(json, "properties");
  Message message;
  message.task = text_in(headers, "task");
  message.id = text_in(headers, "id");
  if (message.task.empty() || message.id.empty())
    return wrong(
        "The message has no task and id in its headers: only Celery's task protocol 2 is taken "
        "(task_protocol = 2, the default since Celery 4).");
  if (!is_id(message.id)) return wrong("A task's id has at most 200 characters, and no spaces.");
  message.content_type = text_in(json, "content-type");
  for (auto [name, target] :
       {std::pair{"eta", &message.eta}, std::pair{"expires", &message.expires}}) {
    if (!has_value(headers, name)) continue;
    *target = time_of(text_in(headers, name));
    if (!*target) return wrong(std::string("headers.") + name + " is not a time.");
  }
  const auto priority = properties.find("priority");
  if (priority != properties.end() && priority->is_number_integer())
    message.priority = static_cast<int>(
        std::clamp<std::int64_t>(priority->get<std::int64_t>(), 0, lowest_priority));
  message.group = text_in(headers, "group");
  message.parent = text_in(headers, "parent_id");
  message.root = text_in(headers, "root_id");
  return message;
}

std::string job_args(const Message& message, std::string_view envelope) {
  Json head{{"task", message.task}, {"id", message.id}};
  for (const auto& [name, value] :
       {std::pair{"group", &message.group}, std::pair{"parent", &message.parent},
        std::pair{"root", &message.root}})
    if (!value->empty()) head[name] = *value;
  std::string args = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  args.pop_back();
  return args.append(",\"message\":").append(envelope).append("}");
}

std::optional<std::string> envelope_of(const std::string& args, const JobId& job) {
  Json json = json_of_ours(args);
  if (!json.is_object() || !json.contains("message")) return std::nullopt;
  for (const auto& [part, name] : {std::pair{"headers", "id"}, std::pair{"headers", "root_id"},
                                   std::pair{"properties", "correlation_id"}})
    if (text_in(object_in(json["message"], part), name) == id_of_job)
      json["message"][part][name] = job.text();
  return json["message"].dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace quell::celery
