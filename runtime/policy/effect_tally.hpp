// What a run did outside, by host: how often, how much came and went, how long it took. Never a
// path, a query or a name within a host: those may be anybody's data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"

namespace quell {

struct HostEffects {
  std::string host;  // "api.example.com:8443", or "(program)" for what a keeper ran
  std::int64_t calls = 0, bytes_in = 0, bytes_out = 0;
  Millis took{0};
  bool operator==(const HostEffects&) const = default;
};

inline constexpr std::size_t tallied_hosts = 8;  // further ones are summed as "(others)"
inline constexpr std::string_view program_host = "(program)", other_hosts = "(others)";

// The host and port of a URL, and nothing else of it.
std::string host_of_url(std::string_view url);

class EffectTally {
 public:
  void note(const std::string& host, std::uint64_t bytes_in, std::uint64_t bytes_out, Millis took);
  bool empty() const { return hosts_.empty(); }
  const std::vector<HostEffects>& hosts() const { return hosts_; }

 private:
  std::vector<HostEffects> hosts_;
};

// The job's usage with a member "effects" of these; what is no object stays as it is.
std::string usage_with(const std::string& usage, const EffectTally& tally);
// And back. What another wrote into a usage of that name is not believed.
std::vector<HostEffects> effects_in(std::string_view usage);

}  // namespace quell
