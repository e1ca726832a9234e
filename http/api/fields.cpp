#include "http/api/fields.hpp"

#include <fmt/format.h>

#include <cmath>

#include "http/api/views/json_writer.hpp"

namespace quell::http {

std::string pointer_step(std::string_view name) {
  std::string step = "/";
  for (const char c : name) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

Fields::Fields(JsonValue object, std::string pointer, std::vector<FieldFault>& faults)
    : pointer_(std::move(pointer)), faults_(faults) {
  if (object.kind() != JsonKind::object) {
    faults_.push_back({pointer_, ErrorCode::invalid_field, "This must be an object."});
    return;
  }
  std::vector<JsonMember> found = object.members();
  members_.reserve(found.size());
  for (JsonMember& member : found) members_.push_back({std::move(member.name), member.value});
}

const JsonValue* Fields::find(std::string_view name) {
  for (Member& member : members_) {
    if (member.name != name) continue;
    member.asked = true;
    return member.value.is_null() ? nullptr : &member.value;
  }
  return nullptr;
}

std::optional<JsonValue> Fields::member(std::string_view name) {
  const JsonValue* found = find(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

bool Fields::has(std::string_view name) const {
  for (const Member& member : members_)
    if (member.name == name) return !member.value.is_null();
  return false;
}

void Fields::wrong(std::string_view name, std::string detail, ErrorCode code) {
  faults_.push_back({pointer_ + pointer_step(name), code, std::move(detail)});
}

void Fields::require(std::string_view name) {
  if (!has(name)) wrong(name, "This is needed.");
}

void Fields::refuse_rest() {
  for (const Member& member : members_)
    if (!member.asked)
      wrong(member.name, "This field is not known here.", ErrorCode::unknown_field);
}

bool Fields::text(std::string_view name, std::string& out, std::size_t max_bytes) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  std::optional<std::string> found = value->string();
  if (!found) return wrong(name, "This must be a string."), false;
  if (found->size() > max_bytes)
    return wrong(name, fmt::format("This may have at most {} bytes.", max_bytes)), false;
  out = std::move(*found);
  return true;
}

bool Fields::integer(std::string_view name, std::int64_t& out, std::int64_t low,
                     std::int64_t high) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  const std::optional<std::int64_t> found = value->integer();
  if (!found || *found < low || *found > high)
    return wrong(name, fmt::format("This must be a whole number from {} to {}.", low, high)), false;
  out = *found;
  return true;
}

bool Fields::seconds(std::string_view name, Millis& out, double low, double high) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  const std::optional<double> found = value->number();
  if (!found || !(*found >= low && *found <= high))
    return wrong(name, fmt::format("This must be a number of seconds from {} to {}.", low, high)),
           false;
  out = Millis{std::llround(*found * 1000)};
  return true;
}

bool Fields::flag(std::string_view name, bool& out) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  const std::optional<bool> found = value->boolean();
  if (!found) return wrong(name, "This must be true or false."), false;
  out = *found;
  return true;
}

bool Fields::time(std::string_view name, Instant& out) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  const std::optional<std::string> text = value->string();
  const std::optional<Instant> found = text ? parse_time(*text) : std::nullopt;
  if (!found) return wrong(name, "This must be a time as in 2026-01-31T08:00:00Z."), false;
  out = *found;
  return true;
}

bool Fields::object(std::string_view name, std::string& out, std::size_t max_bytes) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  if (value->kind() != JsonKind::object) return wrong(name, "This must be an object."), false;
  if (value->text().size() > max_bytes)
    return wrong(name, fmt::format("This may have at most {} bytes.", max_bytes)), false;
  out.assign(value->text());
  return true;
}

bool Fields::array(std::string_view name, std::vector<JsonValue>& out) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  if (value->kind() != JsonKind::array) return wrong(name, "This must be an array."), false;
  out = value->items();
  return true;
}

bool Fields::texts(std::string_view name, std::vector<std::string>& out, std::size_t max_items,
                   std::size_t max_bytes) {
  std::vector<JsonValue> items;
  if (!array(name, items)) return false;
  if (items.size() > max_items)
    return wrong(name, fmt::format("This may have at most {} items.", max_items)), false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::optional<std::string> one = items[i].string();
    if (!one || one->empty() || one->size() > max_bytes) {
      faults_.push_back({fmt::format("{}{}/{}", pointer_, pointer_step(name), i),
                         ErrorCode::invalid_field,
                         fmt::format("This must be a string of 1 to {} bytes.", max_bytes)});
      return false;
    }
    out.push_back(std::move(*one));
  }
  return true;
}

Problem faults_problem(std::vector<FieldFault> faults) {
  Problem problem(faults.front().code,
                  fmt::format("{}: {}", faults.front().pointer, faults.front().detail));
  if (faults.size() > 50) faults.resize(50);
  problem.faults = std::move(faults);
  return problem;
}

}  // namespace quell::http
