// The laws of the PostgreSQL store under two sessions at once: each law bites, none is untried, and
// whatever two sessions do to one id, in whatever order, is what one of them would have done after
// the other.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "tests/storage/conformance/two_sessions.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

#define QUELL_ID "'00000000-0000-7000-8000-00000000000a'"
#define QUELL_CALL "'00000000-0000-7000-8000-0000000000d0'"
#define QUELL_LIVE_COLUMNS "(job, project, queue, kind, pk, place, epoch, attempt, lost, has)"
#define QUELL_JOB_COLUMNS \
  "(id, project, queue, kind, prio, state, epoch, attempt, lost, has, delete_id)"
#define QUELL_TOMB_COLUMNS "(id, delete_id, epoch, at, until, prior, verdict)"

std::string in_live(int place, int epoch) {
  return fmt::format("INSERT INTO live " QUELL_LIVE_COLUMNS " VALUES (" QUELL_ID
                     ", 'p', 'q', 'noop', 4, {}, {}, 0, 0, 0)",
                     place, epoch);
}
std::string at_rest(int state, int epoch) {
  return fmt::format("INSERT INTO job " QUELL_JOB_COLUMNS " VALUES (" QUELL_ID
                     ", 'p', 'q', 'noop', 5, {}, {}, 0, 0, 0, {})",
                     state, epoch, state == 4 ? QUELL_CALL : "NULL");
}
std::string gone(const std::string& restored) {
  return "INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict, restored_epoch)"
         " VALUES (" QUELL_ID ", " QUELL_CALL ", 7, 0, 0, 3, 0, " +
         restored + ")";
}
std::string come_to_rest(int state) {
  return fmt::format("WITH l AS (DELETE FROM live WHERE job = " QUELL_ID
                     " RETURNING *) INSERT INTO job " QUELL_JOB_COLUMNS
                     " SELECT job, project, queue, kind, 9 - pk, {}, epoch, attempt, lost, has, {}"
                     " FROM l",
                     state, state == 4 ? QUELL_CALL "::uuid" : "NULL::uuid");
}
std::string erase(const std::string& from, const std::string& id) {
  return fmt::format(
      "WITH g AS (DELETE FROM {0} WHERE {1} RETURNING {2}) INSERT INTO tomb"
      " " QUELL_TOMB_COLUMNS " SELECT {2}, " QUELL_CALL
      ", 9, 0, 0, 3, 0 FROM g ON CONFLICT (id) DO UPDATE SET epoch = 9,"
      " restored_epoch = NULL",
      from, id, from == "live" ? "job" : "id");
}

struct Start {
  class Meetings;
  const char* name;
  std::string rows;
};
const std::vector<Start> starts{
    {"nothing", "SELECT 1"},      {"waiting", in_live(1, 0)},
    {"running", in_live(2, 1)},   {"succeeded", at_rest(1, 1)},
    {"cancelled", at_rest(3, 1)}, {"leaving", at_rest(4, 2)},
    {"gone", gone("NULL")},       {"restored", gone("8") + "; " + in_live(1, 8)},
};

// What a program does, and what a hand can do beside it.
const std::vector<Deed> deeds{
    {"submit", {in_live(1, 0)}},
    {"restore",
     {"UPDATE tomb SET restored_epoch = 8 WHERE id = " QUELL_ID " AND epoch < 8", in_live(1, 8)}},
    {"run", {"UPDATE live SET place = 2, epoch = epoch + 1 WHERE job = " QUELL_ID}},
    {"finish", {come_to_rest(3)}},
    {"revive",
     {"WITH j AS (DELETE FROM job WHERE state < 4 AND id = " QUELL_ID
      " RETURNING *) INSERT INTO live " QUELL_LIVE_COLUMNS
      " SELECT id, project, queue, kind, 9 - prio, 1, epoch, attempt, 0, has FROM j"}},
    {"mark at rest", {"UPDATE job SET state = 4, delete_id = " QUELL_CALL " WHERE id = " QUELL_ID}},
    {"erase what waits", {erase("live", "place + 0 < 2 AND job = " QUELL_ID)}},
    {"erase at rest",
     {"UPDATE job SET state = 4, delete_id = " QUELL_CALL " WHERE state + 0 < 4 AND id = " QUELL_ID,
      erase("job", "delete_id = " QUELL_CALL " AND id = " QUELL_ID)}},
    {"succeed by hand", {"UPDATE job SET state = 1 WHERE id = " QUELL_ID}},
    {"drop the live row", {"DELETE FROM live WHERE job = " QUELL_ID}},
    {"drop the job", {"DELETE FROM job WHERE id = " QUELL_ID}},
};
// Two hands that bring one new id into both tables at once see nothing of each other. No program
// does: into `job` it moves what it takes out of `live`. So this one meets no birth.
const Deed born_at_rest{"born at rest", {at_rest(3, 0)}};

std::string token(const std::string& id, const std::string& body) {
  return fmt::format(
      "INSERT INTO doc (kind, id, project, body, version) VALUES ('token', '{}', 'default',"
      " convert_to('{}', 'UTF8'), 1)",
      id, body);
}
std::string revoked(const std::string& id) {
  return fmt::format("DELETE FROM doc WHERE kind = 'token' AND id = '{}'", id);
}
constexpr const char* administrator = R"({"role":"admin","project":""})";

struct Law {
  const char* name;
  const char* start;
  std::string breaks;
};
const std::vector<Law> laws{
    {"law_live_place", "running", "UPDATE live SET place = 2"},
    {"law_job_state", "cancelled", "UPDATE job SET state = 1"},
    {"law_job_delete", "succeeded", "DELETE FROM job"},
    {"law_job_back", "cancelled", "DELETE FROM job"},
    {"law_live_delete", "waiting", "DELETE FROM live"},
    {"law_job_birth", "nothing", at_rest(5, 0)},
    {"law_job_insert", "waiting", at_rest(1, 0)},
    {"law_job_insert", "gone", at_rest(1, 7)},
    {"law_live_insert", "cancelled", in_live(1, 0)},
    {"law_live_insert", "gone", in_live(1, 7)},
    {"law_live_insert", "leaving", in_live(1, 2)},
    {"law_live_birth", "nothing", in_live(2, 0)},
    {"law_job_id", "cancelled", "UPDATE job SET id = " QUELL_CALL},
    {"law_live_job", "waiting", "UPDATE live SET job = " QUELL_CALL},
    {"law_job_truncate", "cancelled", "TRUNCATE job"},
    {"law_live_truncate", "waiting", "TRUNCATE live"},
    {"law_tomb_truncate", "gone", "TRUNCATE tomb"},
    {"law_audit_truncate", "nothing", "TRUNCATE audit"},
    {"law_last_admin", "nothing", token("a", administrator) + "; " + revoked("a")},
};

const char* const rows =
    "SELECT coalesce(string_agg(line, ', ' ORDER BY line), '') FROM ("
    "SELECT 'live ' || place || ' epoch ' || epoch AS line FROM live UNION ALL"
    " SELECT 'job ' || state || ' epoch ' || epoch FROM job UNION ALL"
    " SELECT 'tomb epoch ' || epoch || ' restored ' || coalesce(restored_epoch::text, 'never')"
    " FROM tomb) t";

const Start& start_of(const std::string& name) {
  return *std::find_if(starts.begin(), starts.end(),
                       [&](const Start& one) { return name == one.name; });
}

// From one start: what each deed comes to alone, and what two come to in each order.
class Start::Meetings {
 public:
  Meetings(TwoSessions& hands, const Start& start)
      : hands_(hands), start_(start), before_(hands.in_turn(start.rows, look).rows) {}

  const Meeting& alone(const Deed& deed) {
    const auto at = alone_.find(deed.name);
    if (at != alone_.end()) return at->second;
    return alone_.emplace(deed.name, hands_.in_turn(start_.rows, deed)).first->second;
  }
  bool moves(const Deed& deed) { return alone(deed).rows != before_; }

  // Returns how many orders there were.
  int meet(const Deed& a, const Deed& b) {
    const Meeting ab = hands_.in_turn(start_.rows, a, &b);
    Meeting ba = hands_.in_turn(start_.rows, b, &a);
    std::swap(ba.accepted[0], ba.accepted[1]);
    if (is_idle(a, b, ba, 0) || is_idle(b, a, ab, 1)) return 0;
    // One after the other; or the one that was accepted, alone.
    std::set<Meeting> fine{ab, ba};
    if (alone(a).accepted[0]) fine.insert(alone(a));
    if (Meeting one = alone(b); one.accepted[0]) {
      std::swap(one.accepted[0], one.accepted[1]);
      fine.insert(one);
    }
    int orders = 0;
    for (const Meeting& met : hands_.in_every_order(start_.rows, a, b)) {
      ++orders;
      const bool refused = !met.accepted[0] && !met.accepted[1];
      EXPECT_TRUE(refused ? met.rows == before_ : fine.contains(met))
          << start_.name << ": A " << a.name << ", B " << b.name << ", in the order " << met.order
          << ": [" << met.rows << "] A: " << (met.accepted[0] ? "accepted" : met.said[0])
          << " B: " << (met.accepted[1] ? "accepted" : met.said[1]);
    }
    return orders;
  }

 private:
  // It finds nothing to do before the other nor after it: no order can show anything.
  bool is_idle(const Deed& deed, const Deed& other, const Meeting& after, int which) {
    return alone(deed).accepted[0] && !moves(deed) && after.accepted[which] &&
           after.rows == alone(other).rows;
  }

  inline static const Deed look{"look", {"SELECT 1"}};
  TwoSessions& hands_;
  const Start& start_;
  const std::string before_;
  std::map<std::string, Meeting> alone_;
};

class PostgresLaws : public PostgresDatabase {
 protected:
  PostgresLaws() : store_(opened()) {}

 private:
  std::unique_ptr<Store> store_;
};

TEST_F(PostgresLaws, EachBitesAndNoneIsUntried) {
  TwoSessions hands(url(), rows);
  std::set<std::string> tried;
  for (const Law& law : laws) {
    tried.insert(law.name);
    const Deed breaks{law.name, {law.breaks}};
    const Meeting with = hands.in_turn(start_of(law.start).rows, breaks);
    EXPECT_FALSE(with.accepted[0]) << law.name << " lets " << law.breaks;
    EXPECT_NE(with.said[0].find("law: "), std::string::npos) << law.name << ": " << with.said[0];
    const std::string table = ask(fmt::format(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = '{}'", law.name));
    by_hand(fmt::format("ALTER TABLE {} DISABLE TRIGGER {}", table, law.name));
    EXPECT_TRUE(hands.in_turn(start_of(law.start).rows, breaks).accepted[0])
        << law.breaks << " is refused without " << law.name << " too";
    by_hand(fmt::format("ALTER TABLE {} ENABLE TRIGGER {}", table, law.name));
  }
  const pqxx::result enacted =
      hands.watcher().run("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname");
  std::set<std::string> all;
  for (const auto& row : enacted) all.insert(row[0].as<std::string>());
  EXPECT_EQ(tried, all);
}

TEST_F(PostgresLaws, WhateverTwoSessionsDoToOneIdIsWhatOneDoesAfterTheOther) {
  TwoSessions hands(url(), rows);
  put_stops(hands.watcher());
  int orders = 0;
  for (const Start& start : starts) {
    Start::Meetings meetings(hands, start);
    for (std::size_t a = 0; a < deeds.size(); ++a)
      for (std::size_t b = a; b < deeds.size(); ++b)
        if (meetings.moves(deeds[a]) || meetings.moves(deeds[b]))
          orders += meetings.meet(deeds[a], deeds[b]);
    for (const Deed& deed : deeds)
      if (deed.name != "submit" && deed.name != "restore" && meetings.moves(deed))
        orders += meetings.meet(deed, born_at_rest);
  }
  RecordProperty("orders", orders);
  EXPECT_GT(orders, 300);
}

// What no deed above does: each law is broken beside somebody who brings the row, or takes it away.
TEST_F(PostgresLaws, WhatBreaksALawBreaksItBesideWhoeverMovesTheRow) {
  TwoSessions hands(url(), rows);
  put_stops(hands.watcher());
  int orders = 0;
  for (const Law& law : laws) {
    Start::Meetings meetings(hands, start_of(law.start));
    for (const Deed& deed : deeds)
      if ((deed.name == "submit" || deed.name.starts_with("erase")) && meetings.moves(deed) &&
          (deed.name != "submit" || !law.breaks.starts_with("INSERT INTO job")))
        orders += meetings.meet({law.name, {law.breaks}}, deed);
  }
  RecordProperty("orders", orders);
  EXPECT_GT(orders, 30);
}

class PostgresLastAdministrator : public PostgresDatabase {
 protected:
  static Batch revocation(const std::string& id) {
    Batch batch;
    batch.docs = {{"token", id, "default", std::nullopt}};
    return batch;
  }
  int administrators() { return std::stoi(ask("SELECT count(*) FROM doc WHERE kind = 'token'")); }
};

// Each of two nodes sees the other's administrator while both are revoked.
TEST_F(PostgresLastAdministrator, OfTwoSessionsThatRevokeTheLastTwoOneIsRefused) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  by_hand(token("a", administrator));
  by_hand(token("b", administrator));
  Prompt first(url()), watcher(url());
  first.run("BEGIN; " + revoked("a"));
  auto second =
      std::async(std::launch::async, [&] { return applied(*writer, revocation("b")).docs.at(0); });
  while (second.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready &&
         watcher.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") {
  }
  first.run("COMMIT");
  const DocResult result = second.get();
  EXPECT_FALSE(result.written);
  EXPECT_TRUE(result.by_law);
  EXPECT_EQ(administrators(), 1);
}

TEST_F(PostgresLastAdministrator, WhoIsRevokedBesideOneThatIsNotAfterAllGoes) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  by_hand(token("a", administrator));
  by_hand(token("b", administrator));
  Prompt first(url()), watcher(url());
  first.run("BEGIN; " + revoked("a"));
  auto second =
      std::async(std::launch::async, [&] { return applied(*writer, revocation("b")).docs.at(0); });
  while (second.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready &&
         watcher.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") {
  }
  first.run("ROLLBACK");
  EXPECT_TRUE(second.get().written);
  EXPECT_EQ(administrators(), 1);
}

TEST_F(PostgresLastAdministrator, OneThatLetsNobodyInIsNotCountedAndMayGo) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  by_hand(token("a", administrator));
  by_hand(token("late", R"({"role":"admin","project":"","expires":1})"));
  by_hand(token("of one project", R"({"role":"admin","project":"p"})"));
  by_hand(token("by scopes", R"({"role":"","scopes":"tokens:write","project":""})"));
  EXPECT_TRUE(applied(*writer, revocation("a")).docs.at(0).by_law);
  for (const char* id : {"late", "of one project", "by scopes"})
    EXPECT_TRUE(applied(*writer, revocation(id)).docs.at(0).written) << id;
  by_hand(token("next", R"({"role":"admin","project":"","expires":99999999999999})"));
  EXPECT_TRUE(applied(*writer, revocation("a")).docs.at(0).written);
}

// ---- the same, by the store's own writers
class PostgresRepeatedSubmit : public PostgresDatabase {
 protected:
  // Stored, run to its end, and at rest.
  EnqueueOp ended(Writer& writer, NodeLife node) {
    EnqueueOp op = submit();
    Batch batch;
    batch.enqueues = {op};
    batch.claims = {{"default", 1, node, now(), {}}};
    const ClaimedJob run = applied(writer, batch).claims.at(0).at(0);
    Batch finish;
    finish.finishes = {{run.job, run.epoch, JobEvent::succeed, now()}};
    EXPECT_TRUE(applied(writer, finish).finishes.at(0).written);
    return op;
  }
  static EnqueueAnswer again(Writer& writer, const EnqueueOp& op) {
    Batch batch;
    batch.enqueues = {op};
    return applied(writer, batch).enqueues.at(0).answer;
  }
  MarkAnswer erased(Writer& writer, JobId job) {
    Batch batch;
    batch.marks = {mark({job})};
    return applied(writer, batch).marks.at(0).at(0).answer;
  }
};

TEST_F(PostgresRepeatedSubmit, ItDoesNotComeBackWhereverTheEraseFallsBetweenTheLooks) {
  for (const int look : {0, 1}) {
    const auto here = opened();
    const auto eraser = writer_of(*here);
    const EnqueueOp op = ended(*eraser, started(*eraser));
    Prompt watcher(url());
    if (look == 0) put_stops(watcher);
    watcher.run(fmt::format("SELECT pg_advisory_lock({})", 500 + look));
    by_hand("ALTER DATABASE " + database() + " SET quell.stop = '500'");
    const auto there = opened();
    const auto submitter = writer_of(*there);
    auto answer = std::async(std::launch::async, [&] { return again(*submitter, op); });
    while (answer.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready &&
           watcher.ask("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
                       " AND database = (SELECT oid FROM pg_database WHERE datname ="
                       " current_database())") == "0") {
    }
    EXPECT_EQ(erased(*eraser, op.job.id), MarkAnswer::erased);
    watcher.run("SELECT pg_advisory_unlock_all()");
    EXPECT_EQ(answer.get(), EnqueueAnswer::id_taken) << "the erase before look " << look;
    EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "0");
    by_hand("ALTER DATABASE " + database() + " RESET quell.stop");
  }
}

TEST_F(PostgresRepeatedSubmit, OfThreeHundredRacesWithTheEraseNoneBringsItBack) {
  constexpr int races = 300;
  const auto here = opened(), there = opened();
  const auto eraser = writer_of(*here), submitter = writer_of(*there);
  const NodeLife node = started(*eraser);
  int back = 0;
  for (int i = 0; i < races; ++i) {
    const EnqueueOp op = ended(*eraser, node);
    std::atomic<bool> gone = false;
    std::atomic<int> tries = 0;
    auto stored = std::async(std::launch::async, [&] {
      int times = 0;
      do {
        if (again(*submitter, op) != EnqueueAnswer::id_taken) ++times;
        ++tries;
      } while (!gone);
      return times;
    });
    while (tries == 0) std::this_thread::yield();
    EXPECT_EQ(erased(*eraser, op.job.id), MarkAnswer::erased);
    gone = true;
    back += stored.get();
  }
  EXPECT_EQ(back, 0);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "0");
}

// A store of before: a job that came back past the law, and can come to no end.
TEST_F(PostgresRepeatedSubmit, WhatCameBackBeforeTheLawHeldIsDeletedLikeAnyOther) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const NodeLife node = started(*writer);
  for (const bool runs : {false, true}) {
    const EnqueueOp op = ended(*writer, node);
    EXPECT_EQ(erased(*writer, op.job.id), MarkAnswer::erased);
    by_hand("ALTER TABLE live DISABLE TRIGGER law_live_insert");
    by_hand(fmt::format("INSERT INTO live " QUELL_LIVE_COLUMNS
                        " VALUES ('{}', 'default', 'default', 'noop', 4, 1, 0, 0, 0, 0)",
                        op.job.id.text()));
    by_hand("ALTER TABLE live ENABLE TRIGGER law_live_insert");
    Batch claim;
    claim.claims = {{"default", runs ? 1 : 0, node, now(), {}}};
    ASSERT_EQ(applied(*writer, claim).claims.at(0).size(), runs ? 1U : 0U);
    Batch batch;
    batch.marks = {mark({op.job.id})};
    const MarkedJob marked = applied(*writer, batch).marks.at(0).at(0);
    EXPECT_EQ(marked.answer, runs ? MarkAnswer::held : MarkAnswer::erased);
    if (runs) {
      Batch down;
      const Holder& holder = marked.open.at(0);
      down.verdicts = {{op.job.id, holder.what, holder.ref, holder.owner, holder.epoch,
                        Verdict::stopped, now()}};
      EXPECT_EQ(applied(*writer, down).verdicts.at(0).answer, VerdictAnswer::erased);
    }
    EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "0");
    EXPECT_EQ(again(*writer, op), EnqueueAnswer::id_taken);
  }
}

// Its end, too: a run whose end the law refused would be taken back and run again for ever.
TEST_F(PostgresRepeatedSubmit, WhatCameBackBeforeTheLawHeldComesToItsEnd) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const NodeLife node = started(*writer);
  const EnqueueOp op = ended(*writer, node);
  EXPECT_EQ(erased(*writer, op.job.id), MarkAnswer::erased);
  by_hand("ALTER TABLE live DISABLE TRIGGER law_live_insert");
  by_hand(fmt::format("INSERT INTO live " QUELL_LIVE_COLUMNS
                      " VALUES ('{}', 'default', 'default', 'noop', 4, 1, 0, 0, 0, 0)",
                      op.job.id.text()));
  by_hand("ALTER TABLE live ENABLE TRIGGER law_live_insert");
  Batch claim;
  claim.claims = {{"default", 1, node, now(), {}}};
  const ClaimedJob run = applied(*writer, claim).claims.at(0).at(0);
  Batch finish;
  finish.finishes = {{run.job, run.epoch, JobEvent::succeed, now()}};
  EXPECT_TRUE(applied(*writer, finish).finishes.at(0).written);
}

// The laws of a store that an earlier program made are written anew when this one opens it.
TEST_F(PostgresRepeatedSubmit, AStoreOfBeforeIsUnderTheLawsOfToday) {
  opened();
  const std::string read =
      "SELECT string_agg(prosrc, '' ORDER BY proname) FROM pg_proc WHERE proname LIKE 'law\\_%'";
  const std::string ours = ask(read);
  by_hand(
      "CREATE OR REPLACE FUNCTION law_live_insert() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN RETURN NULL; END'; UPDATE schema_version SET laws = 'of before'");
  ASSERT_NE(ask(read), ours);
  opened();
  EXPECT_EQ(ask(read), ours);
}

}  // namespace
}  // namespace quell::storage
