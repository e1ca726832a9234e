#include "runtime/policy/effect_tally.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

constexpr std::size_t host_bytes = 64;
constexpr const char* member = "effects";

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':' || c == '[' || c == ']' || c == '(' || c == ')';
}

std::int64_t number_in(const nlohmann::json& one, const char* name) {
  const auto at = one.find(name);
  if (at == one.end() || !at->is_number_integer()) return 0;
  return std::max<std::int64_t>(0, at->get<std::int64_t>());
}

}  // namespace

std::string host_of_url(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#\\"));
  if (const auto user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  const bool fits =
      !url.empty() && url.size() <= host_bytes && std::all_of(url.begin(), url.end(), is_host_char);
  return std::string(fits ? url : other_hosts);
}

void EffectTally::note(const std::string& host, std::uint64_t bytes_in, std::uint64_t bytes_out,
                       Millis took) {
  const auto named = [this](std::string_view name) {
    return std::find_if(hosts_.begin(), hosts_.end(),
                        [&](const HostEffects& one) { return one.host == name; });
  };
  auto at = named(host);
  if (at == hosts_.end() && hosts_.size() >= tallied_hosts) at = named(other_hosts);
  if (at == hosts_.end()) {
    const bool is_last = hosts_.size() >= tallied_hosts;
    hosts_.push_back({is_last ? std::string(other_hosts) : host});
    at = hosts_.end() - 1;
  }
  at->calls += 1;
  at->bytes_in += static_cast<std::int64_t>(bytes_in);
  at->bytes_out += static_cast<std::int64_t>(bytes_out);
  at->took += took;
}

std::string usage_with(const std::string& usage, const EffectTally& tally) {
  if (tally.empty()) return usage;
  nlohmann::json all = usage.empty() ? nlohmann::json::object() : json_of_ours(usage);
  if (!all.is_object()) return usage;
  nlohmann::json& list = all[member] = nlohmann::json::array();
  for (const HostEffects& one : tally.hosts())
    list.push_back({{"host", one.host},
                    {"calls", one.calls},
                    {"bytes_in", one.bytes_in},
                    {"bytes_out", one.bytes_out},
                    {"ms", one.took.count()}});
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<HostEffects> effects_in(std::string_view usage) {
  std::vector<HostEffects> found;
  if (usage.find("\"effects\"") == std::string_view::npos) return found;
  const nlohmann::json all = json_of_ours(usage);
  if (!all.is_object() || !all.contains(member) || !all[member].is_array()) return found;
  for (const nlohmann::json& one : all[member]) {
    if (found.size() > tallied_hosts || !one.is_object() || !one.contains("host") ||
        !one["host"].is_string())
      return found;
    const std::string host = one["host"].get<std::string>();
    if (host_of_url(host) != host) continue;
    found.push_back({host, number_in(one, "calls"), number_in(one, "bytes_in"),
                     number_in(one, "bytes_out"), Millis{number_in(one, "ms")}});
  }
  return found;
}

}  // namespace quell
