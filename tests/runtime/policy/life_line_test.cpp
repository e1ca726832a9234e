// Where did it go: each way by a row of a table. Requirement C7.
#include "runtime/policy/life_line.hpp"

#include <gmock/gmock.h>

namespace quell {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Instant day0{Millis{1'700'000'000'000}};

Uuid id_at(Instant at) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(at.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  id.bytes[6] = 0x70;
  return id;
}

Instant after(int seconds) {
  return day0 + std::chrono::seconds(seconds);
}

LifeFacts job(JobState state, bool is_there = true) {
  LifeFacts facts;
  facts.id = id_at(day0);
  facts.state = state;
  facts.is_there = is_there;
  facts.project = "default";
  facts.queue = "mail";
  facts.kind = "noop";
  return facts;
}

LifeFacts gone(JobState was, std::string path) {
  LifeFacts facts = job(was, false);
  facts.deleted = LifeFacts::Deleted{id_at(after(60)), "token:ops#1", "a mistake",
                                     std::move(path),  after(60),     after(9'999)};
  return facts;
}

std::vector<std::string> words(const LifeLine& line) {
  std::vector<std::string> all;
  for (const LifeEvent& event : line.events) all.push_back(event.what);
  return all;
}

std::string all_text(const LifeLine& line) {
  std::string text = line.sentence;
  for (const LifeEvent& event : line.events) text += '\n' + event.text;
  for (const std::string& lost : line.not_kept) text += '\n' + lost;
  return text;
}

struct Way {
  const char* name;
  LifeFacts facts;
  Fate fate;
  const char* says;
};

std::vector<Way> ways() {
  std::vector<Way> all;
  for (const JobState state : {JobState::scheduled, JobState::queued, JobState::running,
                               JobState::succeeded, JobState::failed, JobState::cancelled})
    all.push_back({"alive", job(state), Fate::alive, to_string(state).data()});
  LifeFacts leaving = job(JobState::pending_delete);
  leaving.leaving = LifeFacts::Leaving{id_at(after(9)), "token:ops#1", "why", "", after(9), 2, 1};
  all.push_back({"leaving", leaving, Fate::leaving, "not gone yet"});
  all.push_back({"by id", gone(JobState::running, "api"), Fate::deleted, "by its id"});
  all.push_back({"in bulk", gone(JobState::queued, "bulk"), Fate::deleted, "in a list of ids"});
  all.push_back({"by filter", gone(JobState::queued, "filter"), Fate::deleted, "by a filter"});
  all.push_back(
      {"with its schedule", gone(JobState::queued, "task"), Fate::purged, "with its schedule"});
  all.push_back({"by its age", gone(JobState::failed, "retention"), Fate::expired, "by its age"});
  LifeFacts archived = gone(JobState::succeeded, "api");
  archived.copy_until = after(5'000);
  all.push_back({"archived", archived, Fate::archived, "can be restored"});
  LifeFacts restored = gone(JobState::succeeded, "api");
  restored.is_there = true;
  restored.restored = true;
  all.push_back({"restored", restored, Fate::restored, "here again"});
  LifeFacts forced = gone(JobState::running, "api");
  forced.deleted->verdict = Verdict::not_confirmed;
  forced.leaving = LifeFacts::Leaving{id_at(after(9)), "x", "", "", after(9), 1, 1, true};
  all.push_back({"forced", forced, Fate::deleted, "not proven"});
  LifeFacts stranger;
  stranger.id = id_at(day0);
  all.push_back({"never", stranger, Fate::never_seen, "never here"});
  stranger.forgotten = after(-1);
  all.push_back({"never, after the forgotten", stranger, Fate::never_seen, "never here"});
  stranger.forgotten = after(1);
  all.push_back({"older", stranger, Fate::older_than_kept, "nobody can tell"});
  stranger.id = Uuid{};
  stranger.id.bytes[6] = 0x40;
  all.push_back({"no time in the id", stranger, Fate::older_than_kept, "nobody can tell"});
  return all;
}

TEST(LifeLine, EachWayThatAJobCanGoHasItsWordAndItsSentence) {
  for (const Way& way : ways()) {
    const LifeLine line = life_line(way.facts);
    EXPECT_EQ(to_string(line.fate), to_string(way.fate)) << way.name;
    EXPECT_THAT(all_text(line), HasSubstr(way.says)) << way.name;
  }
}

TEST(LifeLine, IsInTheOrderOfTimeAndWhatHasNoneComesLast) {
  LifeFacts facts = gone(JobState::failed, "api");
  facts.submitted_by = "token:ci#2";
  facts.attempts = {{1, after(1), after(2), "error", "timeout", "n1"},
                    {2, after(10), after(12), "error", "timeout", "n2"}};
  facts.attempt = 2;
  facts.started = after(10);
  facts.finished = after(12);
  facts.effects = {{"a.example", 2, 100, 5, Millis{30}}};
  const LifeLine line = life_line(facts);
  EXPECT_EQ(words(line), (std::vector<std::string>{"submitted", "started", "attempt_ended",
                                                   "started", "attempt_ended", "ended", "deleted",
                                                   "forgotten", "went_outside"}));
  EXPECT_THAT(all_text(line), HasSubstr("a.example 2 times: 100 bytes in, 5 out, 30 ms"));
  EXPECT_THAT(all_text(line), HasSubstr("by token:ci#2"));
  EXPECT_THAT(line.not_kept, testing::Contains(HasSubstr("earlier attempts called")));
}

TEST(LifeLine, SaysWhatIsNotKeptInsteadOfLeavingItOut) {
  LifeFacts plain = gone(JobState::succeeded, "api");
  plain.attempt = 1;
  EXPECT_THAT(life_line(plain).not_kept, testing::Contains(HasSubstr("who submitted it")));
  EXPECT_THAT(life_line(plain).not_kept, testing::Contains(HasSubstr("the node")));
  LifeFacts old = gone(JobState::succeeded, "api");
  old.deleted->tells_life = false;
  EXPECT_THAT(life_line(old).not_kept, testing::Contains(HasSubstr("earlier version")));
}

TEST(LifeLine, TellsOfTheAuditButOfTheDeleteOnce) {
  LifeFacts facts = gone(JobState::queued, "bulk");
  facts.audit = {{7, after(60), "token:ops#1", "delete", "", "{}"},
                 {9, after(70), "token:ops#1", "copy_end", "", "{}"}};
  const std::string text = all_text(life_line(facts));
  EXPECT_THAT(text, HasSubstr("audit 9"));
  EXPECT_THAT(text, Not(HasSubstr("audit 7")));
}

}  // namespace
}  // namespace quell
