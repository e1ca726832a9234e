// Lists, filters, counts and what has expired: reading by keyset while others write.
#include <algorithm>
#include <set>

#include "tests/runtime/base/dice.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(List);

TEST_P(List, NewestFirst) {
  auto jobs = submit_many(5);
  std::reverse(jobs.begin(), jobs.end());
  EXPECT_EQ(listed(ListQuery{}), jobs);
}

TEST_P(List, AThousandJobsInPagesWithoutGapOrRepeatWhileInsertsGoOn) {
  auto expected = submit_many(1'000);
  std::reverse(expected.begin(), expected.end());
  std::vector<JobId> seen;
  ListQuery query;
  query.limit = 37;
  while (true) {
    const auto page = reader().list(query);
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    ASSERT_LE(page->jobs.size(), 37u);
    for (const JobView& one : page->jobs) seen.push_back(one.id);
    submit_many(5);
    if (!page->next) break;
    EXPECT_EQ(*page->next, page->jobs.back().id);
    query.after = page->next;
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(List, APageThatIsExactlyFullAndLastSaysSo) {
  submit_many(10);
  ListQuery query;
  query.limit = 10;
  EXPECT_FALSE(reader().list(query)->next.has_value());
  query.limit = 9;
  EXPECT_TRUE(reader().list(query)->next.has_value());
  EXPECT_FALSE(reader().list(query)->is_partial);
}

// What a slow look at each job finds, against which a match is held.
std::vector<JobId> by_looking(const std::vector<JobView>& all, const JobFilter& filter) {
  std::vector<JobId> found;
  for (const JobView& one : all) {
    const auto& tags = one.options.tags;
    const bool fits = (filter.states.empty() || std::ranges::count(filter.states, one.state) > 0) &&
                      (filter.project.empty() || filter.project == one.project) &&
                      (filter.queue.empty() || filter.queue == one.queue) &&
                      (filter.kind.empty() || filter.kind == one.kind) &&
                      (filter.tag.empty() || std::ranges::count(tags, filter.tag) > 0);
    if (fits) found.push_back(one.id);
  }
  return found;
}

JobFilter any_filter(Dice& dice) {
  JobFilter filter;
  for (int state = 0; state < static_cast<int>(JobState::gone); ++state)
    if (dice.below(3) == 0) filter.states.push_back(static_cast<JobState>(state));
  if (dice.below(2) == 0) filter.queue = dice.below(2) == 0 ? "q1" : "q2";
  if (dice.below(3) == 0) filter.project = dice.below(2) == 0 ? "red" : "blue";
  if (dice.below(3) == 0) filter.kind = dice.below(2) == 0 ? "http" : "noop";
  if (dice.below(3) == 0) filter.tag = dice.below(2) == 0 ? "hot" : "cold";
  return filter;
}

TEST_P(List, AMatchFindsWhatALookAtEveryJobFinds) {
  Dice dice(20'261'201);
  for (int i = 0; i < 60; ++i) {
    NewJob one = job(dice.below(2) == 0 ? "q1" : "q2");
    one.project = dice.below(2) == 0 ? "red" : "blue";
    one.kind = dice.below(2) == 0 ? "http" : "noop";
    if (dice.below(2) == 0) one.options.tags.push_back(dice.below(2) == 0 ? "hot" : "cold");
    submit(one);
    const std::uint32_t what = dice.below(4);
    if (what == 0) steer(one.id, JobEvent::cancel);
    if (what == 1) finished(dice.below(2) == 0 ? JobEvent::succeed : JobEvent::exhaust);
  }
  held();
  const std::vector<JobView> all = all_jobs();
  for (int round = 0; round < 200; ++round) {
    ListQuery query;
    query.filter = any_filter(dice);
    query.limit = 1 + static_cast<int>(dice.below(40));
    std::vector<JobId> seen;
    for (bool more = true; more;) {
      const auto page = reader().match(query);
      ASSERT_TRUE(page.ok()) << to_string(page.error());
      for (const FoundByFilter& one : page->jobs) {
        seen.push_back(one.job);
        const JobView shown = view(one.job);
        EXPECT_EQ(one.state, shown.state);
        EXPECT_EQ(one.queue, shown.queue);
        EXPECT_EQ(one.kind, shown.kind);
      }
      more = page->next.has_value();
      query.after = page->next;
    }
    EXPECT_EQ(seen, by_looking(all, query.filter)) << round;
  }
}

TEST_P(List, AnEmptyStoreHasAnEmptyPage) {
  const auto page = reader().list(ListQuery{});
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->jobs.empty());
  EXPECT_FALSE(page->next || page->is_partial);
}

TEST_P(List, EveryFilterAlone) {
  NewJob a = job("q1"), b = job("q2"), c = job("q1");
  a.project = "red";
  a.kind = "http";
  b.options.tags = {"hot", "new"};
  c.options.schedule = "nightly";
  c.options.tags = {"new"};
  submit(a);
  submit(b);
  submit(c);
  const auto with = [&](const JobFilter& filter) {
    ListQuery query;
    query.filter = filter;
    return listed(query);
  };
  JobFilter filter;
  filter.project = "red";
  EXPECT_EQ(with(filter), std::vector<JobId>{a.id});
  filter = {};
  filter.queue = "q1";
  EXPECT_EQ(with(filter), (std::vector<JobId>{c.id, a.id}));
  filter = {};
  filter.kind = "http";
  EXPECT_EQ(with(filter), std::vector<JobId>{a.id});
  filter = {};
  filter.tag = "new";
  EXPECT_EQ(with(filter), (std::vector<JobId>{c.id, b.id}));
  filter.tag = "ne";
  EXPECT_TRUE(with(filter).empty());
  filter = {};
  filter.schedule = "nightly";
  EXPECT_EQ(with(filter), std::vector<JobId>{c.id});
}

TEST_P(List, EveryStateCanBeFilteredFor) {
  std::vector<JobId> jobs;
  for (const JobState at : all_states()) jobs.push_back(in_state(at));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    ListQuery query;
    query.filter.states = {all_states()[i]};
    EXPECT_EQ(listed(query), std::vector<JobId>{jobs[i]}) << to_string(all_states()[i]);
  }
  ListQuery query;
  query.filter.states = {JobState::queued, JobState::running, JobState::delete_failed};
  EXPECT_EQ(listed(query), (std::vector<JobId>{jobs[7], jobs[2], jobs[1]}));
  query.filter.states = all_states();
  EXPECT_EQ(listed(query).size(), jobs.size());
}

TEST_P(List, TimesAreOfCreation) {
  std::vector<JobId> jobs;
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(submit());
    pass(10);
  }
  ListQuery query;
  query.filter.created_from = jobs[1].time();
  EXPECT_EQ(listed(query).size(), 4u);
  query.filter.created_before = jobs[3].time();
  EXPECT_EQ(listed(query), (std::vector<JobId>{jobs[2], jobs[1]}));
  query.filter.created_from = {};
  EXPECT_EQ(listed(query).size(), 3u);
  query.filter.created_from = in(1'000);
  EXPECT_TRUE(listed(query).empty());
}

TEST_P(List, FiltersAddUpAndPage) {
  std::vector<JobId> expected;
  for (int i = 0; i < 60; ++i) {
    NewJob one = job(i % 2 ? "odd" : "even");
    one.project = i % 3 ? "blue" : "red";
    if (i % 5 == 0) one.options.tags = {"five"};
    submit(one);
    if (i % 2 == 0 && i % 3 != 0 && i % 5 == 0) expected.push_back(one.id);
  }
  std::reverse(expected.begin(), expected.end());
  ListQuery query;
  query.filter.queue = "even";
  query.filter.project = "blue";
  query.filter.tag = "five";
  query.filter.states = {JobState::queued};
  query.limit = 2;
  std::vector<JobId> seen;
  while (true) {
    const auto page = reader().list(query);
    for (const JobView& one : page->jobs) seen.push_back(one.id);
    if (!page->next) break;
    query.after = page->next;
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(List, PayloadOnlyWhenAskedFor) {
  NewJob wanted = job();
  wanted.args = R"({"big":1})";
  wanted.options.tags = {"t"};
  FinishOp op = finish_op(start(wanted), JobEvent::succeed);
  op.result = "1";
  op.error = R"({"odd":1})";
  op.usage = R"({"u":1})";
  finish(op);
  ListQuery query;
  auto page = reader().list(query);
  EXPECT_EQ(page->jobs.at(0).args + page->jobs.at(0).result, "");
  EXPECT_EQ(page->jobs.at(0).error, op.error);
  EXPECT_EQ(page->jobs.at(0).usage, op.usage);
  EXPECT_EQ(page->jobs.at(0).options.tags, wanted.options.tags);
  query.with_payload = true;
  page = reader().list(query);
  EXPECT_EQ(page->jobs.at(0).args, wanted.args);
  EXPECT_EQ(page->jobs.at(0).result, "1");
  EXPECT_EQ(reader().get({wanted.id}, false)->at(0).job->args, "");
}

TEST_P(List, CountsAreByQueueAndState) {
  for (const JobState at : all_states()) in_state(at);
  submit_many(3);
  NewJob other = job("default");
  other.project = "red";
  submit(other);
  EXPECT_EQ(count("default", JobState::queued), 4);
  EXPECT_EQ(count("waiting", JobState::queued), 1);
  EXPECT_EQ(count("default", JobState::scheduled), 1);
  const auto red = reader().counts("red");
  ASSERT_EQ(red->size(), 1u);
  EXPECT_EQ(red->at(0).queue, "default");
  EXPECT_EQ(red->at(0).state, JobState::queued);
  EXPECT_EQ(red->at(0).n, 1);
  EXPECT_TRUE(reader().counts("nobody")->empty());
}

TEST_P(List, CountsFollowEveryMove) {
  const JobId id = submit_later(10);
  const auto finds_only = [&](JobState at) {
    const auto rows = reader().counts("");
    ASSERT_EQ(rows->size(), 1u) << to_string(at);
    EXPECT_EQ(rows->at(0).state, at);
    EXPECT_EQ(rows->at(0).n, 1);
  };
  finds_only(JobState::scheduled);
  steer(id, JobEvent::run_now);
  finds_only(JobState::queued);
  const ClaimedJob run = claim(1).at(0);
  finds_only(JobState::running);
  finish(run, JobEvent::exhaust);
  finds_only(JobState::failed);
  steer(id, JobEvent::revive);
  finds_only(JobState::queued);
  claim(1);
  const MarkedJob marked = mark(id);
  finds_only(JobState::pending_delete);
  ticket(id, JobEvent::fail_delete);
  finds_only(JobState::delete_failed);
  verdict(id, marked.open[0], Verdict::stopped);
  EXPECT_TRUE(reader().counts("")->empty());
}

TEST_P(List, ExpiredAreFinalAndPastTheirTime) {
  const auto ended = [&](std::optional<Instant> expires) {
    FinishOp op = finish_op(start(), JobEvent::succeed);
    op.expires = expires;
    finish(op);
    return op.job;
  };
  const JobId late = ended(in(30)), early = ended(in(10)), middle = ended(in(20));
  ended({});
  submit();
  EXPECT_TRUE(reader().expired(in(9), 10)->empty());
  EXPECT_EQ(*reader().expired(in(10), 10), std::vector<JobId>{early});
  EXPECT_EQ(*reader().expired(in(100), 10), (std::vector<JobId>{early, middle, late}));
  EXPECT_EQ(*reader().expired(in(100), 2), (std::vector<JobId>{early, middle}));
  mark(middle);
  EXPECT_EQ(*reader().expired(in(100), 10), (std::vector<JobId>{early, late}));
}

TEST_P(List, ARevivedJobIsNotExpired) {
  FinishOp op = finish_op(start(), JobEvent::exhaust);
  op.expires = in(1);
  finish(op);
  EXPECT_EQ(reader().expired(in(5), 10)->size(), 1u);
  steer(op.job, JobEvent::revive);
  EXPECT_TRUE(reader().expired(in(5), 10)->empty());
}

TEST_P(List, AHeldFinalJobIsNotExpiredTwice) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.expires = in(1);
  op.deliveries = {delivery()};
  finish(op);
  claim_deliveries(5);
  EXPECT_EQ(reader().expired(in(5), 10)->size(), 1u);
  EXPECT_EQ(mark(op.job).answer, MarkAnswer::held);
  EXPECT_TRUE(reader().expired(in(5), 10)->empty());
}

TEST_P(List, StatsAnswer) {
  EXPECT_TRUE(reader().stats().ok());
}

QUELL_STORE_GROUP(OldestQueued);

TEST_P(OldestQueued, IsTheFirstByIdWhateverItsPriorityAmongThoseThatWait) {
  EXPECT_FALSE(reader().oldest_queued("default")->has_value());
  submit_later(60);
  NewJob first = job();
  first.priority = 0;
  submit(first);
  NewJob second = job();
  second.priority = 9;
  submit(second);
  submit(job("another"));
  EXPECT_EQ(reader().oldest_queued("default").value(), first.id);
  ASSERT_EQ(claim(1).at(0).job, second.id);
  EXPECT_EQ(reader().oldest_queued("default").value(), first.id);
  ASSERT_EQ(claim(1).at(0).job, first.id);
  EXPECT_FALSE(reader().oldest_queued("default")->has_value());
}

}  // namespace
}  // namespace quell::storage
