// Two sessions at the prompt of one database, taken step by step: every order of what they do is
// tried, with the looks inside the laws as steps of their own. Who waits, and for what, is asked of
// the server.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <pqxx/connection>
#include <pqxx/errorhandler>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <string>
#include <vector>

namespace quell::storage {

// One transaction: its statements, each a step, and then its commit.
struct Deed {
  std::string name;
  std::vector<std::string> statements;
};

// What two deeds came to in one order.
struct Meeting {
  std::string order;  // "ABBA…": whose step came when
  bool accepted[2] = {false, false};
  std::string said[2];  // by the server, against it
  std::string rows;     // after both
  bool operator<(const Meeting& other) const;
};

class Prompt {
 public:
  explicit Prompt(const std::string& url) : db_(url), quiet_(db_), session_(db_) {}
  pqxx::result run(const std::string& sql) { return session_.exec(sql); }
  std::string ask(const std::string& sql) { return run(sql)[0][0].as<std::string>(); }
  int pid() { return db_.backendpid(); }

 private:
  pqxx::connection db_;
  pqxx::quiet_errorhandler quiet_;
  pqxx::nontransaction session_;
};

// Puts a stop before each look of each law: whoever sets `quell.stop` to N stops at the advisory
// lock N, then at N + 1, …, as long as somebody else has them.
void put_stops(Prompt& prompt);

class TwoSessions {
 public:
  // `rows` is a query of one text: what the tables hold.
  TwoSessions(const std::string& url, std::string rows);

  // From these rows, written past the laws, in every order.
  std::vector<Meeting> in_every_order(const std::string& start, const Deed& a, const Deed& b);
  // One after the other, or `a` alone.
  Meeting in_turn(const std::string& start, const Deed& a, const Deed* b = nullptr);
  Prompt& watcher() { return watcher_; }

 private:
  enum class Standing { ready, at_stop, waits, over };
  struct Hand {
    explicit Hand(const std::string& url) : prompt(std::make_unique<Prompt>(url)) {}
    std::unique_ptr<Prompt> prompt;
    std::vector<std::string> steps;
    std::size_t next = 0;
    std::int64_t stop = 0;
    std::future<std::string> going;
    Standing standing = Standing::ready;
    bool accepted = false;
    std::string said;
  };

  void begin(const std::string& start, const Deed& a, const Deed* b);
  Meeting finish(std::string order);
  void step(Hand& hand);
  void await(Hand& hand);
  void settle();
  bool ended(Hand& hand);
  Meeting go(const std::string& start, const Deed& a, const Deed& b, const std::string& wanted,
             std::vector<std::string>& others);

  Prompt watcher_;
  std::vector<Hand> hands_;
  const std::string rows_;
  std::int64_t stops_ = 1'000;
};

}  // namespace quell::storage
