// Lists and counts of jobs.
#include <fmt/format.h>

#include <map>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/list_filter.hpp"
#include "http/api/page_token.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::int64_t largest_list = 500;

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    if (comma > begin) parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return parts;
}

bool read_list_filter(RequestContext& call, storage::JobFilter& filter) {
  const std::optional<std::string> text = call.query("filter");
  if (text) {
    if (Result<void> read = read_filter(*text, filter); !read)
      return call.fail(read.error()), false;
  }
  for (const char* name : {"status", "queue", "kind", "tag", "project", "schedule_id"}) {
    const std::optional<std::string> value = call.query(name);
    if (!value) continue;
    if (Result<void> added = add_term(name, "=", *value, filter); !added)
      return call.fail(added.error()), false;
  }
  const std::string& own = call.principal.project;
  if (!own.empty() && !filter.project.empty() && filter.project != own)
    return call.fail({ErrorCode::forbidden, "The token belongs to another project."}), false;
  if (!own.empty()) filter.project = own;
  return true;
}

bool read_page(RequestContext& call, storage::ListQuery& query, const std::string& bound_to) {
  const auto size = call.number("page_size", 50, 0, 1'000'000);
  if (!size) return false;
  query.limit = static_cast<int>(*size == 0 ? 50 : std::min(*size, largest_list));
  const std::optional<std::string> token = call.query("page_token");
  if (!token || token->empty()) return true;
  const Result<std::string> after = read_page_token(call.api.page_key(), bound_to, *token);
  if (!after) return call.fail(after.error()), false;
  query.after = Uuid::parse(*after);
  if (!query.after) return call.fail({ErrorCode::invalid_page_token}), false;
  return true;
}

std::string page_json(const storage::JobPage& page, const std::vector<std::string>& names,
                      const std::string& next) {
  std::string out;
  out.reserve(page.jobs.size() * 700 + 64);
  {
    ObjectWriter reply(out);
    append_list(reply.key("jobs"), page.jobs, [&names](std::string& to, const JobView& job) {
      if (names.empty())
        append_job(to, job);
      else
        to += pick_fields(job_json(job), names);
    });
    reply.text("next_page_token", next);
  }
  return out;
}

bool wants_payload(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (name == "args" || name == "result") return true;
  return names.empty();
}

struct CountKeys {
  bool status = false, queue = false;
};

std::string counts_json(const std::vector<storage::CountRow>& rows, CountKeys by, Instant as_of) {
  std::map<std::pair<std::string, std::string>, std::int64_t> sums;
  for (const storage::CountRow& row : rows)
    sums[{by.status ? std::string{to_string(row.state)} : std::string{},
          by.queue ? row.queue : std::string{}}] += row.n;
  std::string out;
  {
    ObjectWriter reply(out);
    if (by.status && by.queue) {
      append_list(reply.key("groups"), sums, [](std::string& to, const auto& sum) {
        ObjectWriter one(to);
        one.text("status", sum.first.first);
        one.text("queue", sum.first.second);
        one.number("n", sum.second);
      });
    } else {
      ObjectWriter counts(reply.key("counts"));
      // Every status is named, so that a client need not know which ones may be missing.
      if (by.status)
        for (int state = 0; state < static_cast<int>(JobState::gone); ++state)
          sums[{std::string{to_string(static_cast<JobState>(state))}, {}}];
      for (const auto& [keys, n] : sums) counts.number(by.status ? keys.first : keys.second, n);
    }
    reply.time("as_of", as_of);
  }
  return out;
}

}  // namespace

void list_jobs(RequestPtr call) {
  if (!call->allow_only({"filter", "status", "queue", "kind", "tag", "project", "schedule_id",
                         "page_size", "page_token", "order_by", "fields"}))
    return;
  const std::string order = call->query("order_by").value_or("created_at desc");
  if (order != "created_at desc" && order != "-created_at")
    return call->fail({ErrorCode::invalid_field, "'order_by' takes 'created_at desc' only."});
  storage::ListQuery query;
  if (!read_list_filter(*call, query.filter)) return;
  const std::string bound_to = filter_text(query.filter);
  if (!read_page(*call, query, bound_to)) return;
  const std::vector<std::string> names = split_commas(call->query("fields").value_or(""));
  query.with_payload = wants_payload(names);
  call->read([call, query, names, bound_to](storage::Reader& reader) {
    const Result<storage::JobPage> page = reader.list(query);
    if (!page) return call->fail(page.error());
    std::string next;
    if (page.value().next)
      next = make_page_token(call->api.page_key(), bound_to, page.value().next->text());
    call->reply(200, page_json(page.value(), names, next));
  });
}

void count_jobs(RequestPtr call) {
  if (!call->allow_only({"group_by", "project"})) return;
  CountKeys by;
  for (const std::string& key : split_commas(call->query("group_by").value_or("status"))) {
    if (key == "status")
      by.status = true;
    else if (key == "queue")
      by.queue = true;
    else
      return call->fail({ErrorCode::invalid_field, "'group_by' takes status and queue."});
  }
  if (!by.status && !by.queue) by.status = true;
  std::string project = call->query("project").value_or("");
  const std::string& own = call->principal.project;
  if (!own.empty() && !project.empty() && project != own)
    return call->fail({ErrorCode::forbidden, "The token belongs to another project."});
  if (!own.empty()) project = own;
  call->read([call, by, project](storage::Reader& reader) {
    const Result<std::vector<storage::CountRow>> rows = reader.counts(project);
    if (!rows) return call->fail(rows.error());
    call->reply(200, counts_json(rows.value(), by, call->api.now()));
  });
}

}  // namespace quell::http::handlers
