#include "actors/deletes/freeze.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

namespace {
constexpr const char *freeze_kind = "safeguard", *freeze_id = "freeze";
}

Result<std::optional<storage::Doc>> Freeze::read(storage::Reader& reader) {
  return reader.doc(freeze_kind, freeze_id);
}

storage::DocOp Freeze::doc(const FreezeOrder& order) {
  const json body{{"frozen", order.frozen},
                  {"who", order.who},
                  {"reason", order.reason},
                  {"history_lost", order.history_lost},
                  {"at_ms", order.at.time_since_epoch().count()}};
  return {.kind = freeze_kind,
          .id = freeze_id,
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

FreezeOrder Freeze::order_of(const storage::Doc& doc) {
  const json body = json_of_ours(doc.body);
  FreezeOrder order;
  if (!body.is_object()) return order;
  order.frozen = body.value("frozen", true);
  order.who = body.value("who", "");
  order.reason = body.value("reason", "");
  order.history_lost = body.value("history_lost", false);
  order.at = Instant{Millis{body.value("at_ms", std::int64_t{0})}};
  return order;
}

Result<void> Freeze::load(storage::Reader& reader) {
  const auto found = read(reader);
  if (!found) return found.error();
  adopt(*found);
  return {};
}

// What cannot be understood was written by somebody who meant something: nothing is deleted.
void Freeze::adopt(const std::optional<storage::Doc>& found) {
  if (!found) return;
  const json body = json_of_ours(found->body);
  const bool clear = body.is_object() && body.contains("frozen") && body["frozen"].is_boolean();
  const bool lost = clear && body.value("history_lost", false);
  take(!clear || body["frozen"].get<bool>(), lost ? body.value("reason", "") : std::string(),
       found->version);
}

void Freeze::wrote(const FreezeOrder& order, std::int64_t version) {
  take(order.frozen, order.history_lost ? order.reason : std::string(), version);
}

// A look that was begun before a later write has nothing new to say.
void Freeze::take(bool frozen, std::string lost, std::int64_t version) {
  const std::lock_guard lock(mutex_);
  if (version <= version_) return;
  version_ = version;
  on_ = frozen;
  lost_ = frozen ? std::move(lost) : std::string();
}

std::string Freeze::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

bool Freeze::on() const {
  const std::lock_guard lock(mutex_);
  return on_;
}

}  // namespace quell
