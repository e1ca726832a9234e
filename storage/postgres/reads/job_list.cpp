#include "storage/postgres/reads/job_list.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "storage/postgres/connection/codes.hpp"
#include "storage/postgres/reads/job_views.hpp"
#include "storage/postgres/working_set/by_key.hpp"

namespace quell::storage::postgres {

namespace {

constexpr int most_rows_looked_at = 20'000;

// One index that is walked from the newest id down. The inner select stops at the bound; the outer
// one filters as the rows come and stops at the page's end. Where the page was not filled the
// second statement says at which id the bound was met. $1 below, $2 from, $3 schedule, $4 bound.
// What the tags stand in is read for a tag alone.
struct Source {
  Source(const std::string& name, const std::string& rows)
      : page_name("list_" + name), bound_name("list_bound_" + name) {
    const std::string walk =
        rows +
        " < $1::uuid AND id >= $2::uuid AND ($3::text = '' OR schedule = $3::text)"
        " ORDER BY id DESC";
    page = "SELECT c.id, p.meta, c.state, c.queue, c.kind FROM (" + walk +
           " LIMIT $4::int) c" QUELL_BY_KEY("payload", "job = c.id AND $9::text <> ''", "p")
           " WHERE ($5::text = '' OR c.project = $5::text)"
           " AND ($6::text = '' OR c.queue = $6::text) AND ($7::text = '' OR c.kind = $7::text)"
           " AND c.state = ANY($8::int[]) AND ($9::text = '' OR position($9::text in p.meta) > 0)"
           " ORDER BY c.id DESC LIMIT $10::int";
    bound = "SELECT id FROM (" + walk + " OFFSET $4::int - 1 LIMIT 1) c";
  }
  Query page_query() const { return {page_name.c_str(), page.c_str()}; }
  Query bound_query() const { return {bound_name.c_str(), bound.c_str()}; }

  std::string page_name, bound_name, page, bound;
};

// As one list; the planner walks both tables in the order of their ids and merges what it meets.
std::string rows_of(const std::string& tables, const std::string& where) {
  return "SELECT id, project, queue, kind, schedule, state FROM (" + tables + ") t WHERE " + where +
         " id";
}
#define LIVE_ROWS "SELECT job AS id, project, queue, kind, schedule, place::int AS state FROM live"
#define REST_ROWS "SELECT id, project, queue, kind, schedule, state + 2 AS state FROM job"

const Source& everything() {
  static const Source source("all", rows_of(LIVE_ROWS " UNION ALL " REST_ROWS, ""));
  return source;
}
const Source& of_schedule() {
  static const Source source("schedule", rows_of(LIVE_ROWS " UNION ALL " REST_ROWS,
                                                 "schedule IS NOT NULL AND schedule = $3 AND"));
  return source;
}
const Source& open_jobs() {
  static const Source source("open", rows_of(LIVE_ROWS, ""));
  return source;
}
// Most of what rests: by the ids of all of it, from which the outer select takes what is wanted.
const Source& at_rest() {
  static const Source source("rest", rows_of(REST_ROWS, ""));
  return source;
}
// The few others have an index by state.
const Source& of_state(int state) {
  static const std::vector<Source> sources = [] {
    std::vector<Source> all;
    for (int one = Stored::failed; one <= Stored::delete_failed; ++one)
      all.emplace_back(
          "state_" + std::to_string(one),
          rows_of(REST_ROWS " WHERE state > 1 AND state = " + std::to_string(one), ""));
    return all;
  }();
  return sources.at(static_cast<std::size_t>(state - Stored::failed));
}

// The smallest id of a millisecond: ids carry their time in the first six bytes.
Uuid first_of(Instant at) {
  const auto ms = std::max<std::int64_t>(at.time_since_epoch().count(), 0);
  Uuid id;
  for (std::size_t byte = 0; byte < 6; ++byte)
    id.bytes[byte] = static_cast<std::uint8_t>(ms >> (40 - 8 * byte));
  return id;
}

struct Range {
  Uuid below, from;
};

Range range_of(const ListQuery& query) {
  Range range;
  range.below.bytes.fill(0xff);
  if (query.after) range.below = *query.after;
  if (query.filter.created_before)
    range.below = std::min(range.below, first_of(*query.filter.created_before));
  if (query.filter.created_from) range.from = first_of(*query.filter.created_from);
  return range;
}

struct FoundJob {
  std::vector<FoundByFilter> jobs;  // newest first
  std::optional<JobId> floor;       // below it nothing was looked at
};

class Lister {
 public:
  Lister(Connection& db, const ListQuery& query)
      : db_(db), filter_(query.filter), range_(range_of(query)) {
    for (int place = Place::scheduled; place <= Place::running; ++place)
      if (wanted(static_cast<JobState>(place))) {
        states_.add(place);
        open_ = true;
      }
    for (int state = Stored::succeeded; state <= Stored::delete_failed; ++state)
      if (wanted(shown(state, 0))) states_.add(static_cast<int>(shown(state, 0)));
    want_ = static_cast<std::size_t>(std::max(query.limit, 0)) + 1;
    // As it stands in the JSON; what else looks like it is told apart below.
    if (!filter_.tag.empty()) tag_ = nlohmann::json(filter_.tag).dump();
  }

  FoundJob all() {
    if (!filter_.schedule.empty()) return read(of_schedule());
    if (filter_.states.empty()) return read(everything());
    std::vector<FoundJob> found;
    if (open_) found.push_back(read(open_jobs()));
    if (wanted(JobState::succeeded)) {
      found.push_back(read(at_rest()));  // of every state that is wanted
      return merged(found);
    }
    for (int state = Stored::failed; state <= Stored::delete_failed; ++state)
      if (wanted(shown(state, 0))) found.push_back(read(of_state(state)));
    return merged(found);
  }

 private:
  bool wanted(JobState state) const {
    const auto& states = filter_.states;
    return states.empty() || std::find(states.begin(), states.end(), state) != states.end();
  }

  FoundJob read(const Source& source) {
    FoundJob found;
    const bool by_tag = !filter_.tag.empty();
    const int most = by_tag ? most_rows_looked_at : static_cast<int>(want_);
    const Rows rows = db_.run(source.page_query(), range_.below, range_.from, filter_.schedule,
                              most_rows_looked_at, filter_.project, filter_.queue, filter_.kind,
                              states_, tag_, most);
    for (const Row row : rows)
      if (found.jobs.size() < want_ && (!by_tag || has_tag(row.text(1))))
        found.jobs.push_back(
            {row.uuid(0), static_cast<JobState>(row.number(2)), row.text(3), row.text(4)});
    if (found.jobs.size() == want_) return found;
    const Rows end = db_.run(source.bound_query(), range_.below, range_.from, filter_.schedule,
                             most_rows_looked_at);
    if (!end.empty()) found.floor = end[0].uuid(0);
    return found;
  }

  bool has_tag(const std::string& meta) const {
    const std::vector<std::string> tags = options_from_json(meta).tags;
    return std::find(tags.begin(), tags.end(), filter_.tag) != tags.end();
  }

  // What lies below the highest floor is not known to be complete.
  static FoundJob merged(const std::vector<FoundJob>& all) {
    FoundJob out;
    for (const FoundJob& one : all) {
      out.jobs.insert(out.jobs.end(), one.jobs.begin(), one.jobs.end());
      if (one.floor && (!out.floor || *out.floor < *one.floor)) out.floor = one.floor;
    }
    if (out.floor) std::erase_if(out.jobs, [&](const auto& one) { return one.job < *out.floor; });
    std::sort(out.jobs.begin(), out.jobs.end(),
              [](const auto& a, const auto& b) { return b.job < a.job; });
    return out;
  }

  Connection& db_;
  const JobFilter& filter_;
  Range range_;
  ArrayLiteral states_;   // as they are shown
  bool open_ = false;     // some of them are open
  std::size_t want_ = 0;  // one more than the page: to know whether more follow
  std::string tag_;
};

#undef LIVE_ROWS
#undef REST_ROWS

}  // namespace

namespace {

MatchPage page_of(Connection& db, const ListQuery& query, bool& is_partial) {
  MatchPage page;
  const auto limit = static_cast<std::size_t>(std::max(query.limit, 0));
  FoundJob found = Lister(db, query).all();
  page.jobs = std::move(found.jobs);
  if (page.jobs.size() > limit) {
    page.jobs.resize(limit);
    if (limit > 0) page.next = page.jobs.back().job;
  } else {
    page.next = found.floor;
    is_partial = found.floor.has_value();
  }
  return page;
}

}  // namespace

MatchPage match_jobs(Connection& db, const ListQuery& query) {
  bool is_partial = false;
  return page_of(db, query, is_partial);
}

JobPage list_jobs(Connection& db, const ListQuery& query) {
  JobPage page;
  const MatchPage found = page_of(db, query, page.is_partial);
  page.next = found.next;
  std::vector<JobId> ids;
  for (const FoundByFilter& one : found.jobs) ids.push_back(one.job);
  auto views = read_views(db, ids, query.with_payload);
  for (const JobId& id : ids)
    if (const auto view = views.find(id); view != views.end())
      page.jobs.push_back(std::move(view->second));
  return page;
}

}  // namespace quell::storage::postgres
