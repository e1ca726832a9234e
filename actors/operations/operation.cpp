#include "actors/operations/operation.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_ordered_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t ms(Instant at) {
  return at.time_since_epoch().count();
}

Json maybe(const std::optional<Instant>& at) {
  return at ? Json(ms(*at)) : Json(nullptr);
}

std::optional<Instant> instant_at(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_number_integer()) return std::nullopt;
  return Instant{Millis{at->get<std::int64_t>()}};
}

std::optional<Uuid> id_at(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_string()) return std::nullopt;
  return Uuid::parse(at->get<std::string>());
}

std::vector<std::string> texts_at(const Json& json, const char* key) {
  std::vector<std::string> all;
  const auto at = json.find(key);
  if (at == json.end() || !at->is_array()) return all;
  for (const Json& one : *at)
    if (one.is_string()) all.push_back(one.get<std::string>());
  return all;
}

Json filter_object(const storage::JobFilter& filter) {
  Json states = Json::array();
  for (const JobState state : filter.states) states.push_back(to_string(state));
  return {{"project", filter.project},
          {"states", std::move(states)},
          {"queue", filter.queue},
          {"kind", filter.kind},
          {"tag", filter.tag},
          {"schedule", filter.schedule},
          {"from_ms", maybe(filter.created_from)},
          {"before_ms", maybe(filter.created_before)}};
}

storage::JobFilter filter_of(const Json& json) {
  storage::JobFilter filter;
  filter.project = json.value("project", "");
  filter.queue = json.value("queue", "");
  filter.kind = json.value("kind", "");
  filter.tag = json.value("tag", "");
  filter.schedule = json.value("schedule", "");
  for (const std::string& name : texts_at(json, "states"))
    if (const auto state = parse_state(name)) filter.states.push_back(*state);
  filter.created_from = instant_at(json, "from_ms");
  filter.created_before = instant_at(json, "before_ms");
  return filter;
}

std::optional<storage::Durability> durability_of(const std::string& text) {
  for (const auto one :
       {storage::Durability::none, storage::Durability::local, storage::Durability::replicated})
    if (to_string(one) == text) return one;
  return std::nullopt;
}

std::vector<Uuid> ids_at(const Json& json, const char* key) {
  std::vector<Uuid> all;
  for (const std::string& text : texts_at(json, key))
    if (const auto id = Uuid::parse(text)) all.push_back(*id);
  return all;
}

Json texts_of(const std::vector<Uuid>& ids) {
  Json all = Json::array();
  for (const Uuid& id : ids) all.push_back(id.text());
  return all;
}

// By hand: each slice is thousands of them, and is written often.
std::string quoted(const std::vector<Uuid>& ids) {
  std::string all;
  all.reserve(ids.size() * 39);
  for (const Uuid& id : ids) {
    all += all.empty() ? "\"" : ",\"";
    (all += id.text()) += '"';
  }
  return all;
}

void read_counts(const Json& json, const char* key, std::map<std::string, std::int64_t>& counts) {
  const auto at = json.find(key);
  if (at == json.end()) return;
  for (const auto& [name, n] : at->items()) counts[name] = n;
}

void read_order(const Json& json, OperationOrder& order) {
  order.filter = filter_of(json.at("filter"));
  order.filter_text = json.value("filter_text", "");
  order.project = json.value("project", "");
  order.who = json.value("who", "");
  order.reason = json.value("reason", "");
  order.expected = json.value("expected", std::int64_t{0});
  order.per_second_max = json.value("per_second_max", std::int64_t{0});
  if (json.contains("keep_copy_ms"))
    order.keep_copy = Millis{json.value("keep_copy_ms", std::int64_t{0})};
  order.scopes = texts_at(json, "scopes");
  order.at = instant_at(json, "at_ms").value_or(Instant{});
}

void read_progress(const Json& json, Operation& operation) {
  operation.is_stopping = json.value("stopping", false);
  operation.paused_by = json.value("paused_by", "");
  operation.note = json.value("note", "");
  operation.obeyed = json.value("obeyed", std::int64_t{0});
  operation.owner = {id_at(json, "node").value_or(NodeId{}), json.value("life", std::int64_t{0})};
  operation.after = id_at(json, "after");
  operation.is_listed = json.value("listed", false);
  operation.slice = ids_at(json, "slice");
  operation.handled = json.value("handled", std::int64_t{0});
  read_counts(json, "counts", operation.counts);
  operation.open = ids_at(json, "open");
  read_counts(json, "awaiting", operation.awaiting);
  operation.durability = durability_of(json.value("durability", ""));
  operation.outcomes = id_at(json, "outcomes");
  operation.active = Millis{json.value("active_ms", std::int64_t{0})};
  operation.ended = instant_at(json, "ended_ms");
  operation.receipt = json.value("receipt", "");
}

}  // namespace

std::string filter_json(const storage::JobFilter& filter) {
  return filter_object(filter).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const Operation& one) {
  Json out{{"id", one.id.text()},
           {"verb", to_string(one.verb)},
           {"filter", filter_object(one.filter)},
           {"filter_text", one.filter_text},
           {"project", one.project},
           {"who", one.who},
           {"reason", one.reason},
           {"expected", one.expected},
           {"per_second_max", one.per_second_max},
           {"scopes", one.scopes},
           {"at_ms", ms(one.at)},
           {"state", to_string(one.state)},
           {"stopping", one.is_stopping},
           {"paused_by", one.paused_by},
           {"note", one.note},
           {"obeyed", one.obeyed},
           {"node", one.owner.node.text()},
           {"life", one.owner.life},
           {"listed", one.is_listed},
           {"handled", one.handled},
           {"counts", one.counts},
           {"active_ms", one.active.count()},
           {"ended_ms", maybe(one.ended)},
           {"receipt", one.receipt}};
  if (one.keep_copy) out["keep_copy_ms"] = one.keep_copy->count();
  if (one.after) out["after"] = one.after->text();
  if (one.durability) out["durability"] = to_string(*one.durability);
  if (one.outcomes) out["outcomes"] = one.outcomes->text();
  if (!one.open.empty()) out["open"] = texts_of(one.open);
  if (!one.awaiting.empty()) out["awaiting"] = one.awaiting;
  std::string text = out.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.pop_back();
  return text + ",\"slice\":[" + quoted(one.slice) + "]}";
}

std::optional<Operation> operation_from_json(const std::string& text) {
  const Json json = ordered_json_of_ours(text);
  if (!json.is_object()) return std::nullopt;
  try {
    Operation operation;
    const auto id = id_at(json, "id");
    const auto verb = parse_operation_verb(json.at("verb").get<std::string>());
    const auto state = parse_operation_state(json.at("state").get<std::string>());
    if (!id || !verb || !state) return std::nullopt;
    operation.id = *id;
    operation.verb = *verb;
    operation.state = *state;
    read_order(json, operation);
    read_progress(json, operation);
    return operation;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

double per_second(const Operation& operation) {
  if (operation.active <= Millis{0}) return 0;
  return static_cast<double>(operation.handled) * 1000.0 /
         static_cast<double>(operation.active.count());
}

std::optional<Millis> time_left(const Operation& operation) {
  const double rate = per_second(operation);
  if (rate <= 0 || operation.state != OperationState::running) return std::nullopt;
  const auto left =
      static_cast<double>(std::max<std::int64_t>(operation.expected - operation.handled, 0));
  return Millis{static_cast<std::int64_t>(left * 1000.0 / rate)};
}

storage::DocOp operation_doc(const Operation& operation, std::optional<std::int64_t> if_version) {
  return {.kind = operation_kind,
          .id = operation.id.text(),
          .project = operation.project,
          .body = to_json(operation),
          .if_version = if_version};
}

storage::DocOp wish_doc(const Operation& operation, OperationWish wish, const std::string& who,
                        Instant now) {
  const Json body{{"wish", to_string(wish)}, {"who", who}};
  return {.kind = operation_wish_kind,
          .id = operation.id.text(),
          .project = operation.project,
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
          .until = now + operation_part_keep};
}

OperationWish wish_of(const storage::Doc& doc) {
  const Json body = ordered_json_of_ours(doc.body);
  if (!body.is_object()) return OperationWish::none;
  return parse_operation_wish(body.value("wish", "")).value_or(OperationWish::none);
}

}  // namespace quell
