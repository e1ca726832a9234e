#include "actors/sentinel/snapshot_doc.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_ordered_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t ms_of(Instant at) {
  return at.time_since_epoch().count();
}
Instant instant_of(std::int64_t ms) {
  return Instant{Millis{ms}};
}
Instant instant_in(const Json& json, const char* key) {
  return instant_of(json.value(key, std::int64_t{0}));
}
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json changes_object(const RangeChanges& changes) {
  Json lost = Json::array();
  for (const LostRows& one : changes.lost)
    lost.push_back({one.from.text(), one.to.text(), one.rows});
  return {{"added", changes.added},
          {"removed", changes.removed},
          {"changed", changes.changed},
          {"ranges_changed", changes.ranges_changed},
          {"ranges_read", changes.ranges_read},
          {"rows_read", changes.rows_read},
          {"partial", changes.is_partial},
          {"lost", std::move(lost)}};
}

RangeChanges changes_of(const Json& json) {
  RangeChanges changes;
  changes.added = json.value("added", std::int64_t{0});
  changes.removed = json.value("removed", std::int64_t{0});
  changes.changed = json.value("changed", std::int64_t{0});
  changes.ranges_changed = json.value("ranges_changed", std::int64_t{0});
  changes.ranges_read = json.value("ranges_read", std::int64_t{0});
  changes.rows_read = json.value("rows_read", std::int64_t{0});
  changes.is_partial = json.value("partial", false);
  for (const Json& one : json.value("lost", Json::array())) {
    const auto from = Uuid::parse(one.at(0).get<std::string>());
    const auto to = Uuid::parse(one.at(1).get<std::string>());
    if (from && to) changes.lost.push_back({*from, *to, one.at(2).get<std::int64_t>()});
  }
  return changes;
}

Json object_of(const StoreSnapshot& snapshot) {
  Json counts = Json::array();
  for (const auto& count : snapshot.counts)
    counts.push_back({count.queue, static_cast<int>(count.state), count.jobs});
  Json json{{"due_ms", ms_of(snapshot.due)},
            {"at_ms", ms_of(snapshot.at)},
            {"node", snapshot.node},
            {"counts", std::move(counts)},
            {"changes", changes_object(snapshot.changes)},
            {"ranges", snapshot.ranges},
            {"store_bytes", snapshot.store_bytes},
            {"memory_bytes", snapshot.memory_bytes},
            {"deleted_off_hours", snapshot.deleted_off_hours},
            {"deleted_by", snapshot.deleted_by},
            {"above", snapshot.above}};
  if (snapshot.wal_bytes) json["wal_bytes"] = *snapshot.wal_bytes;
  if (snapshot.dead) json["dead"] = {snapshot.dead->table, snapshot.dead->rows};
  if (snapshot.held)
    json["held"] = {snapshot.held->pid, snapshot.held->application, snapshot.held->seconds};
  if (snapshot.waiting) json["waiting"] = {snapshot.waiting->queue, snapshot.waiting->seconds};
  return json;
}

StoreSnapshot snapshot_in(const Json& json) {
  StoreSnapshot snapshot;
  snapshot.due = instant_in(json, "due_ms");
  snapshot.at = instant_in(json, "at_ms");
  snapshot.node = json.value("node", "");
  for (const Json& one : json.at("counts"))
    snapshot.counts.push_back({one.at(0).get<std::string>(),
                               static_cast<JobState>(one.at(1).get<int>()),
                               one.at(2).get<std::int64_t>()});
  snapshot.changes = changes_of(json.at("changes"));
  snapshot.ranges = json.value("ranges", std::int64_t{0});
  snapshot.store_bytes = json.value("store_bytes", std::int64_t{0});
  snapshot.memory_bytes = json.value("memory_bytes", std::int64_t{0});
  snapshot.deleted_off_hours = json.value("deleted_off_hours", std::int64_t{0});
  snapshot.deleted_by = json.value("deleted_by", "");
  snapshot.above = json.value("above", std::vector<std::string>{});
  if (json.contains("wal_bytes")) snapshot.wal_bytes = json.at("wal_bytes").get<std::int64_t>();
  if (json.contains("dead"))
    snapshot.dead = StoreSnapshot::Worst{json.at("dead").at(0).get<std::string>(),
                                         json.at("dead").at(1).get<std::int64_t>()};
  if (json.contains("held"))
    snapshot.held =
        HeldSnapshot{json.at("held").at(0).get<int>(), json.at("held").at(1).get<std::string>(),
                     json.at("held").at(2).get<std::int64_t>()};
  if (json.contains("waiting"))
    snapshot.waiting = StoreSnapshot::Waiting{json.at("waiting").at(0).get<std::string>(),
                                              json.at("waiting").at(1).get<std::int64_t>()};
  return snapshot;
}

}  // namespace

storage::DocOp snapshot_doc(const StoreSnapshot& snapshot, Instant until) {
  return {.kind = snapshot_kind,
          .id = snapshot_name(snapshot.due),
          .body = dumped(object_of(snapshot)),
          .if_version = 0,  // one a due time, whoever makes it
          .until = until};
}

std::optional<StoreSnapshot> snapshot_of(const storage::Doc& doc) {
  try {
    return snapshot_in(ordered_json_of_ours(doc.body));
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

storage::DocOp ranges_doc(const StoreSnapshot& snapshot, const std::vector<IdRange>& ranges,
                          Instant until) {
  Json all = Json::array();
  for (const IdRange& one : ranges)
    all.push_back({one.from.text(), one.rows, one.done, one.tombs, one.sum, one.lost,
                   ms_of(one.seen), ms_of(one.horizon)});
  return {.kind = ranges_kind,
          .id = snapshot_name(snapshot.due),
          .body = dumped(all),
          .if_version = 0,
          .until = until};
}

std::optional<std::vector<IdRange>> ranges_of(const storage::Doc& doc) {
  try {
    std::vector<IdRange> ranges;
    for (const Json& one : ordered_json_of_ours(doc.body)) {
      IdRange range;
      const auto from = Uuid::parse(one.at(0).get<std::string>());
      if (!from) return std::nullopt;
      range.from = *from;
      range.rows = one.at(1).get<std::int64_t>();
      range.done = one.at(2).get<std::int64_t>();
      range.tombs = one.at(3).get<std::int64_t>();
      range.sum = one.at(4).get<std::uint64_t>();
      range.lost = one.at(5).get<std::int64_t>();
      range.seen = instant_of(one.at(6).get<std::int64_t>());
      range.horizon = instant_of(one.at(7).get<std::int64_t>());
      ranges.push_back(range);
    }
    return ranges;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace quell
