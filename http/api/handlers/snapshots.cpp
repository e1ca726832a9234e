// What the sentinel has kept: the store as it was, and what differs between two moments.
#include <algorithm>
#include <map>
#include <utility>

#include "actors/sentinel/snapshot_doc.hpp"
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::int64_t snapshots_shown = 50, snapshots_most = 1'000;

void append_maybe(ObjectWriter& view, const char* name, const std::optional<std::int64_t>& value) {
  if (value)
    view.number(name, *value);
  else
    view.null(name);
}

std::map<std::string_view, std::int64_t> by_status(const StoreSnapshot& snapshot) {
  std::map<std::string_view, std::int64_t> sums;
  for (const auto& count : snapshot.counts) sums[to_string(count.state)] += count.jobs;
  return sums;
}

std::int64_t lost_in(const StoreSnapshot& snapshot) {
  std::int64_t lost = 0;
  for (const LostRows& one : snapshot.changes.lost) lost += one.rows;
  return lost;
}

void append_snapshot(std::string& out, const StoreSnapshot& snapshot) {
  ObjectWriter view(out);
  view.text("snapshot", snapshot_name(snapshot.due));
  view.time("at", snapshot.at);
  view.text_or_null("node", snapshot.node);
  view.number("jobs", snapshot.jobs());
  {
    ObjectWriter counts(view.key("counts"));
    for (const auto& [status, jobs] : by_status(snapshot)) counts.number(status, jobs);
  }
  view.number("added", snapshot.changes.added);
  view.number("removed", snapshot.changes.removed);
  view.number("changed", snapshot.changes.changed);
  view.number("lost", lost_in(snapshot));
  view.number("ranges", snapshot.ranges);
  view.number("ranges_read", snapshot.changes.ranges_read);
  view.number("ranges_changed", snapshot.changes.ranges_changed);
  view.flag("is_partial", snapshot.changes.is_partial);
  view.number("store_bytes", snapshot.store_bytes);
  append_maybe(view, "wal_bytes", snapshot.wal_bytes);
  view.number("memory_bytes", snapshot.memory_bytes);
  view.text_or_null("dead_table", snapshot.dead ? snapshot.dead->table : "");
  append_maybe(view, "dead_rows",
               snapshot.dead ? std::optional(snapshot.dead->rows) : std::nullopt);
  view.text_or_null("waiting_queue", snapshot.waiting ? snapshot.waiting->queue : "");
  append_maybe(view, "waiting_s",
               snapshot.waiting ? std::optional(snapshot.waiting->seconds) : std::nullopt);
  append_maybe(view, "held_s",
               snapshot.held ? std::optional(snapshot.held->seconds) : std::nullopt);
  append_maybe(view, "held_pid",
               snapshot.held ? std::optional<std::int64_t>(snapshot.held->pid) : std::nullopt);
  view.text_or_null("held_by", snapshot.held ? snapshot.held->application : "");
  append_list(view.key("above"), snapshot.above,
              [](std::string& to, const std::string& rule) { append_quoted(to, rule); });
}

void append_difference(std::string& out, const RangeDifference& one) {
  ObjectWriter view(out);
  view.text("from_id", one.from.text());
  view.text("to_id", one.to.text());
  view.number("rows_before", one.rows_before);
  view.number("rows_after", one.rows_after);
  view.number("tombstones_before", one.tombs_before);
  view.number("tombstones_after", one.tombs_after);
  view.number("lost", one.lost);
}

struct CountDifference {
  std::string queue;
  JobState state = JobState::queued;
  std::int64_t before = 0, after = 0;
};

std::vector<CountDifference> count_differences(const StoreSnapshot& a, const StoreSnapshot& b) {
  std::map<std::pair<std::string, JobState>, std::pair<std::int64_t, std::int64_t>> all;
  for (const auto& one : a.counts) all[{one.queue, one.state}].first += one.jobs;
  for (const auto& one : b.counts) all[{one.queue, one.state}].second += one.jobs;
  std::vector<CountDifference> differ;
  for (const auto& [key, n] : all)
    if (n.first != n.second) differ.push_back({key.first, key.second, n.first, n.second});
  return differ;
}

struct Kept {
  StoreSnapshot snapshot;
  std::vector<IdRange> ranges;
};

std::string diff_text(const Kept& a, const Kept& b) {
  const auto ranges = differences(a.ranges, b.ranges);
  std::int64_t lost = 0;
  for (const RangeDifference& one : ranges) lost += one.lost;
  std::string out;
  {
    ObjectWriter view(out);
    view.text("from", snapshot_name(a.snapshot.due));
    view.text("to", snapshot_name(b.snapshot.due));
    view.number("jobs_before", a.snapshot.jobs());
    view.number("jobs_after", b.snapshot.jobs());
    view.number("store_bytes_before", a.snapshot.store_bytes);
    view.number("store_bytes_after", b.snapshot.store_bytes);
    view.number("lost", lost);
    append_list(view.key("counts"), count_differences(a.snapshot, b.snapshot),
                [](std::string& to, const CountDifference& one) {
                  ObjectWriter count(to);
                  count.text("queue", one.queue);
                  count.text("status", to_string(one.state));
                  count.number("before", one.before);
                  count.number("after", one.after);
                });
    append_list(view.key("ranges"), ranges, append_difference);
  }
  return out;
}

Result<std::optional<Kept>> kept(storage::Reader& reader, const std::string& name) {
  const auto doc = reader.doc(snapshot_kind, name);
  if (!doc) return doc.error();
  const auto ranges = reader.doc(ranges_kind, name);
  if (!ranges) return ranges.error();
  if (!*doc || !*ranges) return std::optional<Kept>();
  auto snapshot = snapshot_of(**doc);
  auto all = ranges_of(**ranges);
  if (!snapshot || !all) return std::optional<Kept>();
  return std::optional(Kept{std::move(*snapshot), std::move(*all)});
}

// "" for the newest, and for the one before that.
Result<std::pair<std::string, std::string>> names(storage::Reader& reader, std::string from,
                                                  std::string to) {
  if (!from.empty() && !to.empty()) return std::pair{from, to};
  const auto docs = reader.docs(snapshot_kind, "");
  if (!docs) return docs.error();
  if (to.empty() && !docs->empty()) to = docs->back().id;
  if (from.empty())
    for (const storage::Doc& doc : *docs)
      if (doc.id < to) from = doc.id;
  return std::pair{from, to};
}

}  // namespace

void list_snapshots(RequestPtr call) {
  if (!call->allow_only({"limit"}) || !call->is_of_all_projects("The list of snapshots is")) return;
  const auto limit = call->number("limit", snapshots_shown, 1, snapshots_most);
  if (!limit) return;
  call->read([call, most = static_cast<std::size_t>(*limit)](storage::Reader& reader) {
    const auto docs = reader.docs(snapshot_kind, "");
    if (!docs) return call->fail(docs.error());
    std::vector<StoreSnapshot> snapshots;
    for (auto doc = docs->rbegin(); doc != docs->rend() && snapshots.size() < most; ++doc)
      if (auto one = snapshot_of(*doc)) snapshots.push_back(std::move(*one));
    std::string out = "{\"snapshots\":";
    append_list(out, snapshots, append_snapshot);
    call->reply(200, out + '}');
  });
}

void diff_snapshots(RequestPtr call) {
  if (!call->allow_only({"from", "to"}) || !call->is_of_all_projects("Comparing snapshots is"))
    return;
  call->read([call, from = call->query("from").value_or(""),
              to = call->query("to").value_or("")](storage::Reader& reader) {
    const auto asked = names(reader, from, to);
    if (!asked) return call->fail(asked.error());
    const auto a = kept(reader, asked->first);
    if (!a) return call->fail(a.error());
    const auto b = kept(reader, asked->second);
    if (!b) return call->fail(b.error());
    if (!*a || !*b)
      return call->fail({ErrorCode::resource_not_found,
                         "No such snapshot is kept; list them to see their names."});
    call->reply(200, diff_text(**a, **b));
  });
}

}  // namespace quell::http::handlers
