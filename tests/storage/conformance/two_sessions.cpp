#include "tests/storage/conformance/two_sessions.hpp"

#include <chrono>
#include <tuple>

#include "runtime/base/assert.hpp"

namespace quell::storage {

namespace {

constexpr int most_looks = 16;  // of one transaction
constexpr std::chrono::seconds patience{60};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

bool Meeting::operator<(const Meeting& other) const {
  return std::tie(accepted[0], accepted[1], rows) <
         std::tie(other.accepted[0], other.accepted[1], other.rows);
}

void put_stops(Prompt& prompt) {
  prompt.run(R"(
    CREATE FUNCTION law_stop() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE n bigint := nullif(current_setting('quell.stop', true), '')::bigint;
    BEGIN
      IF n IS NOT NULL THEN
        PERFORM set_config('quell.stop', (n + 1)::text, false);
        PERFORM pg_advisory_lock(n);
      END IF;
    END $$)");
  const pqxx::result laws = prompt.run(
      "SELECT DISTINCT pg_get_functiondef(f.oid) FROM pg_trigger t JOIN pg_proc f ON f.oid = tgfoid"
      " WHERE tgname LIKE 'law\\_%' AND proname <> 'law_broken'");
  for (const auto& row : laws) {
    const auto law = row[0].as<std::string>();
    // A law of a whole statement looks at nothing when the statement touched nothing.
    const bool of_set = law.find("FROM touched") != std::string::npos;
    prompt.run(replaced(law, "\n  IF ",
                        std::string("\n  PERFORM law_stop()") +
                            (of_set ? " FROM (SELECT 1 FROM touched LIMIT 1) t" : "") +
                            ";\n  IF "));
  }
}

TwoSessions::TwoSessions(const std::string& url, std::string rows)
    : watcher_(url), rows_(std::move(rows)) {
  watcher_.run("SET synchronous_commit = off");
  for (int i = 0; i < 2; ++i) {
    hands_.emplace_back(url);
    hands_.back().prompt->run("SET deadlock_timeout = '10ms'; SET synchronous_commit = off");
  }
}

void TwoSessions::begin(const std::string& start, const Deed& a, const Deed* b) {
  std::string prepare =
      "SELECT pg_advisory_unlock_all(); SET session_replication_role = replica; DELETE FROM live;"
      " DELETE FROM job; DELETE FROM tomb; " +
      start + "; SET session_replication_role = origin";
  const Deed* deeds[2] = {&a, b};
  for (std::size_t i = 0; i < 2; ++i) {
    Hand& hand = hands_[i];
    hand.steps.clear();
    hand.next = 0;
    hand.accepted = false;
    hand.said.clear();
    hand.standing = deeds[i] ? Standing::ready : Standing::over;
    if (!deeds[i]) continue;
    hand.steps = deeds[i]->statements;
    hand.steps.front().insert(0, "BEGIN; ");
    hand.steps.emplace_back("COMMIT");
    hand.stop = stops_;
    stops_ += most_looks;
    hand.prompt->run("SELECT pg_advisory_unlock_all(); SET quell.stop = '" +
                     std::to_string(hand.stop) + "'");
    prepare += "; SELECT pg_advisory_lock(n) FROM generate_series(" + std::to_string(hand.stop) +
               "::bigint, " + std::to_string(stops_ - 1) + ") n";
  }
  watcher_.run(prepare);
}

// True when the statement under way has ended, for better or worse.
bool TwoSessions::ended(Hand& hand) {
  if (hand.going.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) return false;
  hand.said = hand.going.get();
  ++hand.next;
  if (!hand.said.empty()) {
    hand.prompt->run("ROLLBACK");
    hand.standing = Standing::over;
  } else if (hand.next == hand.steps.size()) {
    hand.accepted = true;
    hand.standing = Standing::over;
  } else {
    hand.standing = Standing::ready;
  }
  return true;
}

// Until it has ended its statement, or stands at a stop, or waits for the other hand.
void TwoSessions::await(Hand& hand) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (hand.going.valid() && !ended(hand)) {
    const std::string lock =
        watcher_.ask("SELECT coalesce((SELECT locktype FROM pg_locks WHERE NOT granted AND pid = " +
                     std::to_string(hand.prompt->pid()) + " LIMIT 1), '')");
    if (!lock.empty()) {
      hand.standing = lock == "advisory" ? Standing::at_stop : Standing::waits;
      return;
    }
    QUELL_ASSERT(std::chrono::steady_clock::now() < until);
  }
}

void TwoSessions::settle() {
  const auto until = std::chrono::steady_clock::now() + patience;
  do {
    for (Hand& hand : hands_) await(hand);
    for (Hand& hand : hands_) await(hand);  // whom the first ones let go
    QUELL_ASSERT(std::chrono::steady_clock::now() < until);
    // Of two that wait for each other the server ends one.
  } while ((hands_[0].standing == Standing::waits && hands_[1].standing == Standing::waits) ||
           (hands_[0].standing == Standing::waits && hands_[1].standing == Standing::over) ||
           (hands_[0].standing == Standing::over && hands_[1].standing == Standing::waits));
}

void TwoSessions::step(Hand& hand) {
  if (hand.standing == Standing::at_stop) {
    watcher_.run("SELECT pg_advisory_unlock(" + std::to_string(hand.stop++) + ")");
    return;
  }
  hand.going = std::async(std::launch::async, [&hand] {
    try {
      hand.prompt->run(hand.steps[hand.next]);
      return std::string();
    } catch (const std::exception& refused) {
      return std::string(refused.what());
    }
  });
}

Meeting TwoSessions::finish(std::string order) {
  Meeting met;
  met.order = std::move(order);
  for (std::size_t i = 0; i < 2; ++i) {
    met.accepted[i] = hands_[i].accepted;
    met.said[i] = hands_[i].said;
  }
  met.rows = watcher_.ask(rows_);
  return met;
}

Meeting TwoSessions::in_turn(const std::string& start, const Deed& a, const Deed* b) {
  begin(start, a, b);
  std::string order;
  for (std::size_t i = 0; i < 2; ++i)
    while (hands_[i].standing != Standing::over) {
      step(hands_[i]);
      settle();
      order += "AB"[i];
    }
  return finish(std::move(order));
}

// As `wanted` says, and then whoever can; where the other one could have gone, that is one more
// order.
Meeting TwoSessions::go(const std::string& start, const Deed& a, const Deed& b,
                        const std::string& wanted, std::vector<std::string>& others) {
  begin(start, a, &b);
  std::string order;
  while (true) {
    const auto can = [&](std::size_t i) {
      return hands_[i].standing == Standing::ready || hands_[i].standing == Standing::at_stop;
    };
    if (!can(0) && !can(1)) break;
    std::size_t who = can(0) ? 0 : 1;
    if (order.size() < wanted.size())
      who = wanted[order.size()] == 'A' ? 0 : 1;
    else if (can(0) && can(1))
      others.push_back(order + "B");
    QUELL_ASSERT(can(who));
    step(hands_[who]);
    settle();
    order += "AB"[who];
  }
  return finish(std::move(order));
}

std::vector<Meeting> TwoSessions::in_every_order(const std::string& start, const Deed& a,
                                                 const Deed& b) {
  std::vector<Meeting> met;
  std::vector<std::string> wanted{""};
  while (!wanted.empty()) {
    const std::string order = std::move(wanted.back());
    wanted.pop_back();
    met.push_back(go(start, a, b, order, wanted));
  }
  return met;
}

}  // namespace quell::storage
