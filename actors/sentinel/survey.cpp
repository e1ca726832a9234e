#include "actors/sentinel/survey.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>

#include "actors/safeguards/spike_watch.hpp"
#include "actors/sentinel/snapshot_doc.hpp"

namespace quell {

namespace {

constexpr int calls_looked_at = 500;

Result<void> read_counts(storage::Reader& reader, Survey& survey, Instant now) {
  const auto counts = reader.counts("");
  if (!counts) return counts.error();
  std::set<std::string> queues;
  for (const storage::CountRow& row : *counts) {
    if (row.n != 0) survey.snapshot.counts.push_back({row.queue, row.state, row.n});
    if (row.state == JobState::queued && row.n > 0) queues.insert(row.queue);
  }
  for (const std::string& queue : queues) {
    const auto oldest = reader.oldest_queued(queue);
    if (!oldest) return oldest.error();
    if (!*oldest) continue;
    const auto waits = std::chrono::duration_cast<std::chrono::seconds>(now - (*oldest)->time());
    auto& worst = survey.snapshot.waiting;
    if (!worst || worst->seconds < waits.count())
      worst = StoreSnapshot::Waiting{queue, std::max<std::int64_t>(waits.count(), 0)};
  }
  return {};
}

Result<void> read_health(storage::Reader& reader, StoreSnapshot& snapshot) {
  auto health = reader.health();
  if (!health) return health.error();
  snapshot.store_bytes = health->bytes;
  snapshot.wal_bytes = health->wal_bytes;
  snapshot.held = std::move(health->held);
  if (health->dead_rows)
    snapshot.dead = StoreSnapshot::Worst{health->dead_table, *health->dead_rows};
  return {};
}

// Only the last hour is judged by, and only the last one is compared with.
Result<void> read_before(storage::Reader& reader, Survey& survey) {
  const auto docs = reader.docs(snapshot_kind, "");
  if (!docs) return docs.error();
  const std::string name = snapshot_name(survey.snapshot.due);
  const std::string hour_ago = snapshot_name(survey.snapshot.due - anomaly_window);
  std::string last;
  for (const storage::Doc& doc : *docs) {
    survey.is_there |= doc.id == name;
    if (doc.id >= name) continue;
    if (doc.id < hour_ago && doc.id != docs->back().id) continue;
    if (auto one = snapshot_of(doc)) {
      survey.before.push_back(std::move(*one));
      last = doc.id;
    }
  }
  if (last.empty()) return {};
  const auto ranges = reader.doc(ranges_kind, last);
  if (!ranges) return ranges.error();
  if (*ranges)
    if (auto known = ranges_of(**ranges)) survey.ranges = std::move(*known);
  return {};
}

// Retention has nobody who could have waited for the morning.
Result<void> read_deletes(storage::Reader& reader, const SettingValues& settings, Survey& survey) {
  const auto hours = WorkingHours::make(settings.sentinel_hours, settings.sentinel_zone);
  if (!hours || settings.sentinel_hours.empty() || survey.before.empty()) return {};
  const auto calls = reader.calls(std::nullopt, calls_looked_at);
  if (!calls) return calls.error();
  for (const storage::CallView& call : *calls) {
    if (call.at <= survey.before.back().at || call.path == "retention" || hours->has(call.at))
      continue;
    if (survey.snapshot.deleted_by.empty()) survey.snapshot.deleted_by = call.who;
    survey.snapshot.deleted_off_hours += static_cast<std::int64_t>(jobs_of(call));
  }
  return {};
}

}  // namespace

Result<Survey> survey(storage::Reader& reader, const SettingValues& settings, Instant due,
                      Instant now) {
  Survey made;
  made.snapshot.due = due;
  made.snapshot.at = now;
  made.snapshot.node = settings.node_name;
  made.snapshot.memory_bytes = resident_bytes();
  if (auto read = read_before(reader, made); !read) return read.error();
  if (made.is_there) return made;
  if (auto read = read_counts(reader, made, now); !read) return read.error();
  if (auto read = read_health(reader, made.snapshot); !read) return read.error();
  if (auto read = read_deletes(reader, settings, made); !read) return read.error();
  return made;
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace quell
