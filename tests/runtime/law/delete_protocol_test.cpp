// The delete's steps, verdicts and the arithmetic of its reply, against oracles written by hand.
#include "runtime/law/delete_protocol.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace quell {
namespace {

constexpr DeleteStep all_steps[] = {DeleteStep::mark, DeleteStep::stop, DeleteStep::release,
                                    DeleteStep::erase, DeleteStep::answer};

struct Expected {
  Verdict verdict;
  const char* name;
  Proof proof;
};

constexpr Expected all_verdicts[] = {
    {Verdict::not_running, "not_running", Proof::proven},
    {Verdict::not_started, "not_started", Proof::proven},
    {Verdict::finished_first, "finished_first", Proof::proven},
    {Verdict::stopped, "stopped", Proof::proven},
    {Verdict::reaped, "reaped", Proof::proven},
    {Verdict::process_died, "process_died", Proof::proven},
    {Verdict::lease_expired, "lease_expired", Proof::unproven},
    {Verdict::not_confirmed, "not_confirmed", Proof::unproven},
    {Verdict::stuck, "stuck", Proof::pending},
};

TEST(DeleteProtocol, TakesItsFiveStepsInOrder) {
  std::vector<std::string> names;
  for (const DeleteStep step : all_steps) names.emplace_back(to_string(step));
  EXPECT_EQ(names, (std::vector<std::string>{"mark", "stop", "release", "erase", "answer"}));
  for (std::size_t i = 0; i < std::size(all_steps); ++i)
    EXPECT_EQ(static_cast<std::size_t>(all_steps[i]), i);
}

TEST(DeleteProtocol, KeepsMarkAndEraseAndRedoesTheRest) {
  for (const DeleteStep step : all_steps) {
    EXPECT_EQ(is_durable(step), step == DeleteStep::mark || step == DeleteStep::erase)
        << to_string(step);
    EXPECT_FALSE(sentence(step).empty());
  }
}

TEST(DeleteProtocol, KnowsWhatEachVerdictProves) {
  for (const Expected& row : all_verdicts) {
    EXPECT_EQ(to_string(row.verdict), row.name);
    EXPECT_EQ(proof_of(row.verdict), row.proof) << row.name;
    EXPECT_EQ(parse_verdict(row.name), row.verdict);
    EXPECT_FALSE(sentence(row.verdict).empty());
  }
  int listed = 0;
#define DELETE_VERDICT(name, proof, sentence) ++listed;
#include "runtime/spec/delete_protocol.def"
#undef DELETE_VERDICT
  EXPECT_EQ(static_cast<std::size_t>(listed), std::size(all_verdicts));
}

TEST(DeleteProtocol, ParsesNoVerdictThatIsNotListed) {
  for (const char* text :
       {"", "Stopped", "stopped ", "killed", "cooperative", "host_lease_expired"})
    EXPECT_EQ(parse_verdict(text), std::nullopt) << text;
}

using Field = std::uint64_t DeleteCounts::*;

constexpr Field bound_fields[] = {&DeleteCounts::distinct,       &DeleteCounts::deleted,
                                  &DeleteCounts::dequeued,       &DeleteCounts::killed,
                                  &DeleteCounts::finished_first, &DeleteCounts::at_rest,
                                  &DeleteCounts::unproven,       &DeleteCounts::already_gone,
                                  &DeleteCounts::pending,        &DeleteCounts::failed};

// One id of a call ends in exactly one of these ways; counting ids makes counts that must add up.
DeleteCounts count_ids(std::mt19937_64& random, int ids) {
  constexpr Field ways[] = {&DeleteCounts::killed,         &DeleteCounts::dequeued,
                            &DeleteCounts::finished_first, &DeleteCounts::at_rest,
                            &DeleteCounts::unproven,       &DeleteCounts::already_gone,
                            &DeleteCounts::pending,        &DeleteCounts::failed};
  DeleteCounts counts;
  for (int id = 0; id < ids; ++id) {
    const std::size_t way = random() % std::size(ways);
    counts.requested += 1 + random() % 3;  // an id may be sent more than once
    ++counts.distinct;
    ++(counts.*ways[way]);
    if (way < 5) ++counts.deleted;
    if (way == 0) ++counts.slots_freed;
  }
  return counts;
}

TEST(DeleteCounts, AddUpForEveryWayTheIdsOfACallCanEnd) {
  std::mt19937_64 random(7);
  for (int ids = 0; ids < 500; ++ids) EXPECT_TRUE(add_up(count_ids(random, ids))) << ids;
}

TEST(DeleteCounts, StopAddingUpWhenOneFieldIsWrong) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 500; ++round) {
    const DeleteCounts counts = count_ids(random, 1 + round % 100);
    for (const Field field : bound_fields) {
      DeleteCounts more = counts;
      more.*field += 1 + random() % 1'000;
      EXPECT_FALSE(add_up(more));
      DeleteCounts less = counts;
      if (less.*field == 0) continue;
      --(less.*field);
      EXPECT_FALSE(add_up(less));
    }
  }
}

TEST(DeleteCounts, BindNeitherTheIdsAsSentNorTheSlots) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 100; ++round) {
    DeleteCounts counts = count_ids(random, round);
    counts.requested += random() % 9;
    counts.slots_freed = random() % 9;  // a run that finished first gave its slot back by itself
    EXPECT_TRUE(add_up(counts));
  }
}

TEST(DeleteCounts, TellAProvenEndFromAnUnprovenOne) {
  DeleteCounts counts;
  counts.requested = counts.distinct = counts.deleted = counts.unproven = 1;
  EXPECT_TRUE(add_up(counts));
  counts.killed = 1;  // the same job cannot also count as killed
  EXPECT_FALSE(add_up(counts));
}

}  // namespace
}  // namespace quell
