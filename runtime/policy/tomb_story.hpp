// What a tombstone still tells of a job's life: who submitted it, how its attempts ended and where,
// which hosts it spoke to, how many deliveries it had. Made in the transaction that erases, from
// rows that go in it. Deleted means deleted, so nothing of what the job was about is in it: no
// argument, no result, no message, no path; hosts, counts, times and codes only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/law/job.hpp"
#include "runtime/policy/effect_tally.hpp"

namespace quell {

inline constexpr std::size_t story_attempts = 4, story_hosts = 4;  // the last, the largest
inline constexpr std::size_t story_bytes = 1'500;                  // at most

struct StoryFacts {
  std::string submitted_by = {};
  std::vector<AttemptRecord> attempts = {};  // by number
  std::string usage = {};                    // JSON, or ""
  std::int64_t deliveries = 0, delivery_tries = 0;
};

// JSON; "" when there is nothing to tell.
std::string tomb_story(const StoryFacts& facts);

struct ToldAttempt {
  int n = 0;
  std::optional<Instant> started;
  Instant ended;
  std::string outcome, code, node;
  bool operator==(const ToldAttempt&) const = default;
};
struct TombStory {
  std::string submitted_by = {};
  std::vector<ToldAttempt> attempts = {};
  std::int64_t attempts_left_out = 0;
  std::vector<HostEffects> effects = {};
  std::int64_t hosts_left_out = 0;
  std::int64_t deliveries = 0, delivery_tries = 0;
};

// Of our own writing; what cannot be read tells nothing.
TombStory read_story(std::string_view text);

// Of a problem of ours: its code, when it is a word and not a sentence.
std::string code_in(std::string_view problem);

}  // namespace quell
