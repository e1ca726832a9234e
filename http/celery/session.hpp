// One client of the door: reads commands, runs them one after the other, writes the answers.
// Everything that it keeps for the client is bounded.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/celery/desk.hpp"
#include "http/celery/stream.hpp"

namespace quell::http::celery {

struct SessionLimits {
  std::chrono::seconds authentication{10};  // from the first byte on
  std::chrono::seconds one_write{30};       // a reader that takes nothing for so long is gone
  std::size_t unsent = std::size_t{64} << 20;
  std::size_t subscriptions = 100'000;
  std::size_t multi = 64;                           // commands between MULTI and EXEC
  std::size_t multi_bytes = std::size_t{20} << 20;  // of them all: as much as the largest alone
};

// Who comes with these; nothing: nobody that may.
using Admission = std::function<std::optional<Caller>(
    const std::string& user, const std::string& password, const std::string& remote)>;
// Whether what was admitted may still come: tokens are revoked, attempts end.
using StillAdmitted = std::function<bool(const Caller&, const std::string& password)>;

struct SessionHome {
  Desk* desk = nullptr;
  Admission admit;
  StillAdmitted still;
  SessionLimits limits;
  std::string version;
};

class Session final : public Listener, public std::enable_shared_from_this<Session> {
 public:
  Session(std::unique_ptr<Stream> stream, SessionHome& home, std::string remote);

  void start();
  void close();
  bool is_over() const { return is_over_; }
  const std::string& remote() const { return remote_; }  // the address, without its port
  void check_time(std::chrono::steady_clock::time_point now);

  void hear(const std::string& channel, const std::string& payload) override;
  void hear_pattern(const std::string& pattern, const std::string& channel,
                    const std::string& payload) override;

 private:
  void read();
  void pump();
  void take_commands();
  void execute(Words words);
  // Of the connection itself: true when the command was one of these.
  bool execute_own(const Words& words);
  bool execute_subscribed(const Words& words);
  void hello(const Words& words);
  void authenticate(const std::string& user, const std::string& password, std::string welcome);
  void subscribe(const Words& words, bool patterns);
  void unsubscribe(const Words& words, bool patterns);
  void unsubscribe_one(const char* word, const std::string& channel, bool patterns);
  void begin_multi(const Words& words);
  void keep_for_exec(Words words);
  void run_multi();
  void run_next(const TurnPtr& turn, const std::shared_ptr<std::deque<Words>>& left,
                const std::shared_ptr<std::string>& answers);
  void block(const TurnPtr& turn, const Words& words);
  TurnPtr turn() const;
  Done answer_then_go_on();
  void send(std::string wire);
  void flush();
  std::size_t subscribed() const { return channels_.size() + patterns_.size(); }

  std::unique_ptr<Stream> stream_;
  SessionHome& home_;
  std::string remote_;
  quell::celery::RespReader reader_;
  std::array<char, 16384> bytes_{};
  std::optional<Caller> caller_;
  std::string password_;
  int protocol_ = 2;
  bool is_busy_ = false, is_pumping_ = false, is_reading_ = false, is_over_ = false,
       is_leaving_ = false;
  std::optional<std::deque<Words>> multi_;
  std::size_t multi_bytes_ = 0;
  bool multi_is_broken_ = false;
  std::set<std::string> channels_, patterns_;
  std::function<void()> give_up_;  // the wait of a blocking pop
  std::deque<std::string> unsent_;
  std::size_t unsent_bytes_ = 0;
  bool is_writing_ = false;
  std::chrono::steady_clock::time_point began_, wrote_;
};

}  // namespace quell::http::celery
