// A filter that is understood can be said again from what was understood, and then selects the
// same.
#include "http/api/list_filter.hpp"

#include "http/api/views/json_writer.hpp"
#include "runtime/law/job.hpp"
#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string said(const storage::JobFilter& filter) {
  std::string text;
  const auto add = [&text](const std::string& term) {
    text.append(text.empty() ? "" : " AND ").append(term);
  };
  const auto equal = [&add](const char* field, const std::string& value) {
    if (!value.empty()) add(field + ("=" + quoted(value)));
  };
  equal("project", filter.project);
  equal("queue", filter.queue);
  equal("kind", filter.kind);
  equal("tags", filter.tag);
  equal("schedule_id", filter.schedule);
  std::string states;
  for (const JobState state : filter.states)
    states.append(states.empty() ? "" : ",").append(to_string(state));
  equal("status", states);
  if (filter.created_from) add("created_at >= " + quoted(http::time_text(*filter.created_from)));
  if (filter.created_before) add("created_at < " + quoted(http::time_text(*filter.created_before)));
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  storage::JobFilter filter, same, again;
  if (!http::read_filter(text, filter)) return 0;
  hold(http::read_filter(text, same).ok() && http::filter_text(same) == http::filter_text(filter),
       "read twice is the same");
  hold(filter.states.size() <= 8, "each status at most once");
  const std::string anew = said(filter);
  hold(http::read_filter(anew, again).ok(), "what was understood can be said again");
  hold(http::filter_text(again) == http::filter_text(filter), "and selects the same");
  return 0;
}
