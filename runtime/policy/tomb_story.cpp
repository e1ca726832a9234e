#include "runtime/policy/tomb_story.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

using nlohmann::json;

constexpr std::size_t word_bytes = 32, name_bytes = 96;

// A word of ours, or of a handler that keeps to them; a sentence could be anybody's data.
bool is_word(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  });
}

std::string word(std::string_view text, std::size_t most = word_bytes) {
  return is_word(text, most) ? std::string(text) : std::string();
}

// As it is written down elsewhere, cut where nobody's name goes on.
std::string name_of(const std::string& who) {
  std::string name = who.substr(0, name_bytes);
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return name;
}

json attempt_object(const AttemptRecord& one) {
  json out{{"n", one.n}, {"e", one.ended.time_since_epoch().count()}, {"o", word(one.outcome)}};
  if (one.started) out["s"] = one.started->time_since_epoch().count();
  if (const std::string code = code_in(one.error); !code.empty()) out["c"] = code;
  if (const std::string node = word(one.node, name_bytes); !node.empty()) out["w"] = node;
  return out;
}

std::int64_t whole(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

std::string text_at(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

ToldAttempt attempt_in(const json& from) {
  ToldAttempt one;
  one.n = static_cast<int>(whole(from, "n"));
  if (from.contains("s")) one.started = Instant{Millis{whole(from, "s")}};
  one.ended = Instant{Millis{whole(from, "e")}};
  one.outcome = text_at(from, "o");
  one.code = text_at(from, "c");
  one.node = text_at(from, "w");
  return one;
}

const json& array_at(const json& from, const char* name) {
  static const json none = json::array();
  const auto at = from.find(name);
  return at != from.end() && at->is_array() ? *at : none;
}

}  // namespace

std::string code_in(std::string_view problem) {
  if (problem.empty()) return {};
  const json body = json_of_ours(problem);
  return body.is_object() ? word(text_at(body, "code")) : std::string();
}

std::string tomb_story(const StoryFacts& facts) {
  json out = json::object();
  if (!facts.submitted_by.empty()) out["by"] = name_of(facts.submitted_by);
  const std::size_t from = facts.attempts.size() - std::min(facts.attempts.size(), story_attempts);
  for (std::size_t i = from; i < facts.attempts.size(); ++i)
    out["a"].push_back(attempt_object(facts.attempts[i]));
  if (from > 0) out["a-"] = from;
  std::vector<HostEffects> hosts = effects_in(facts.usage);
  std::stable_sort(hosts.begin(), hosts.end(), [](const HostEffects& a, const HostEffects& b) {
    return a.bytes_in + a.bytes_out > b.bytes_in + b.bytes_out;
  });
  for (std::size_t i = 0; i < std::min(hosts.size(), story_hosts); ++i)
    out["x"].push_back(json::array({hosts[i].host, hosts[i].calls, hosts[i].bytes_in,
                                    hosts[i].bytes_out, hosts[i].took.count()}));
  if (hosts.size() > story_hosts) out["x-"] = hosts.size() - story_hosts;
  if (facts.deliveries > 0) out["d"] = json::array({facts.deliveries, facts.delivery_tries});
  if (out.empty()) return {};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

TombStory read_story(std::string_view text) {
  TombStory story;
  if (text.empty()) return story;
  const json from = json_of_ours(text);
  if (!from.is_object()) return story;
  story.submitted_by = text_at(from, "by");
  for (const json& one : array_at(from, "a"))
    if (one.is_object()) story.attempts.push_back(attempt_in(one));
  story.attempts_left_out = whole(from, "a-");
  for (const json& one : array_at(from, "x")) {
    const bool is_row = one.is_array() && one.size() == 5 && one[0].is_string() &&
                        std::all_of(one.begin() + 1, one.end(),
                                    [](const json& n) { return n.is_number_integer(); });
    if (is_row)
      story.effects.push_back({one[0].get<std::string>(), one[1].get<std::int64_t>(),
                               one[2].get<std::int64_t>(), one[3].get<std::int64_t>(),
                               Millis{one[4].get<std::int64_t>()}});
  }
  story.hosts_left_out = whole(from, "x-");
  const json& deliveries = array_at(from, "d");
  if (deliveries.size() == 2 && deliveries[0].is_number_integer() &&
      deliveries[1].is_number_integer()) {
    story.deliveries = deliveries[0].get<std::int64_t>();
    story.delivery_tries = deliveries[1].get<std::int64_t>();
  }
  return story;
}

}  // namespace quell
