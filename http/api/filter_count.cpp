#include "http/api/filter_count.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "runtime/base/bounded_json.hpp"

namespace quell::http {

namespace {

constexpr int page_jobs = 2'000, pages_at_once = 5;
constexpr std::size_t outbound_at_once = 500;

struct Counting {
  RequestPtr call;
  storage::ListQuery query;
  bool is_detailed;
  FilterCount count;
  std::function<void(const FilterCount&)> then;
};

std::string text_in(const nlohmann::json& json, const char* name) {
  const auto at = json.is_object() ? json.find(name) : json.end();
  return json.is_object() && at != json.end() && at->is_string() ? at->get<std::string>()
                                                                 : std::string();
}

// As it is written, but for its case; without port and whoever calls.
std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return {};
  std::string host = url.substr(scheme + 3);
  host.resize(std::min(host.size(), host.find_first_of("/?#\\")));
  if (const std::size_t at = host.rfind('@'); at != std::string::npos) host.erase(0, at + 1);
  const std::size_t port = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (port != std::string::npos) host.resize(port);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host;
}

void add_usage(FilterCount::Group& group, const std::string& usage) {
  const nlohmann::json json = json_of_ours(usage);
  if (!json.is_object()) return;
  const auto number = [&json](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
  };
  group.input_tokens += static_cast<std::int64_t>(number("input_tokens").value_or(0));
  group.output_tokens += static_cast<std::int64_t>(number("output_tokens").value_or(0));
  if (const auto cost = number("cost")) group.cost = group.cost.value_or(0) + *cost;
}

bool calls_out(const storage::FoundByFilter& job) {
  return job.kind == "llm" || job.kind == "http";
}

Result<void> add_page(storage::Reader& reader, const storage::MatchPage& page, Counting& counting) {
  std::unordered_map<JobId, storage::OutboundView> known;
  std::vector<JobId> asked;
  for (std::size_t i = 0; i < page.jobs.size(); ++i) {
    if (counting.is_detailed && calls_out(page.jobs[i])) asked.push_back(page.jobs[i].job);
    if (asked.empty() || (asked.size() < outbound_at_once && i + 1 < page.jobs.size())) continue;
    auto found = reader.outbound(asked);
    if (!found) return found.error();
    for (storage::OutboundView& one : *found) known.emplace(one.job, std::move(one));
    asked.clear();
  }
  for (const storage::FoundByFilter& job : page.jobs) {
    const auto at = known.find(job.job);
    counting.count.add(job, at == known.end() ? nullptr : &at->second);
  }
  return {};
}

void go_on(const std::shared_ptr<Counting>& counting) {
  counting->call->read([counting](storage::Reader& reader) {
    for (int i = 0; i < pages_at_once; ++i) {
      const Result<storage::MatchPage> page = reader.match(counting->query);
      if (!page) return counting->call->fail(page.error());
      if (const auto added = add_page(reader, *page, *counting); !added)
        return counting->call->fail(added.error());
      if (!page->next) return counting->call->post([counting] { counting->then(counting->count); });
      counting->query.after = page->next;
    }
    counting->call->post([counting] { go_on(counting); });
  });
}

}  // namespace

void FilterCount::add(const storage::FoundByFilter& job, const storage::OutboundView* outbound) {
  total += 1;
  by_state[job.state] += 1;
  const bool runs = job.state == JobState::running;
  auto& sample = runs ? running : others;
  if (sample.size() < preview_sample_max) sample.push_back(job);
  GroupKey key{job.queue, job.kind, {}, {}};
  if (outbound != nullptr) {
    const nlohmann::json args = json_from_outside(outbound->args);
    if (job.kind == "llm") key.model = text_in(args, "model");
    if (job.kind == "http") key.host = host_of(text_in(args, "url"));
  }
  auto at = groups.find(key);
  if (at == groups.end()) {
    if (groups.size() == preview_groups_max) {
      groups_are_cut = true;
      return;
    }
    at = groups.try_emplace(std::move(key)).first;
  }
  at->second.n += 1;
  at->second.running += runs ? 1 : 0;
  if (outbound != nullptr) add_usage(at->second, outbound->usage);
}

void count_matches(const RequestPtr& call, const storage::JobFilter& filter, bool is_detailed,
                   std::function<void(const FilterCount&)> then) {
  auto counting = std::make_shared<Counting>();
  counting->call = call;
  counting->query.filter = filter;
  counting->query.limit = page_jobs;
  counting->is_detailed = is_detailed;
  counting->then = std::move(then);
  go_on(counting);
}

}  // namespace quell::http
