#include "http/celery/session.hpp"

#include <algorithm>

namespace quell::http::celery {

namespace resp = quell::celery::resp;
using quell::celery::RespLimits;
using quell::celery::RespReader;

namespace {

constexpr RespLimits of_strangers{};
// kombu asks for the keys of all queues and of many results in one command.
RespLimits of_clients(std::size_t message_max) {
  return {.words = 4096, .word = message_max, .command = message_max + (std::size_t{4} << 20)};
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

}  // namespace

Session::Session(std::unique_ptr<Stream> stream, SessionHome& home, std::string remote)
    : stream_(std::move(stream)),
      home_(home),
      remote_(std::move(remote)),
      reader_(of_strangers),
      began_(std::chrono::steady_clock::now()),
      wrote_(began_) {}

void Session::start() {
  stream_->shake_hands([self = shared_from_this()](boost::system::error_code fault) {
    if (fault) return self->close();
    self->read();
  });
}

void Session::close() {
  if (std::exchange(is_over_, true)) return;
  if (give_up_) std::exchange(give_up_, {})();
  if (caller_)
    for (const std::string& channel : channels_)
      home_.desk->unsubscribe(caller_->project, channel, this);
  for (const std::string& pattern : patterns_) home_.desk->unlisten(this, pattern);
  patterns_.clear();
  channels_.clear();
  stream_->close();
}

void Session::check_time(std::chrono::steady_clock::time_point now) {
  if (!caller_ && now > began_ + home_.limits.authentication) return close();
  if (is_writing_ && now > wrote_ + home_.limits.one_write) return close();
}

// Reads on while a command runs, to see a client that leaves; but keeps no more than one command
// of what it sends meanwhile.
void Session::read() {
  if (is_over_ || is_reading_) return;
  if (is_busy_ && reader_.held() > bytes_.size()) return;
  is_reading_ = true;
  stream_->read(boost::asio::buffer(bytes_),
                [self = shared_from_this()](boost::system::error_code fault, std::size_t size) {
                  self->is_reading_ = false;
                  if (fault) return self->close();
                  self->reader_.add(std::string_view(self->bytes_.data(), size));
                  self->pump();
                  self->read();
                });
}

// A command that is answered at once comes back here from within: the loop goes on, not deeper.
void Session::pump() {
  if (std::exchange(is_pumping_, true)) return;
  take_commands();
  is_pumping_ = false;
}

void Session::take_commands() {
  while (!is_busy_ && !is_over_ && !is_leaving_) {
    Words words;
    const RespReader::Flow flow = reader_.next(words);
    if (flow == RespReader::Flow::more) return;
    if (flow == RespReader::Flow::broken) {
      send(resp::error("ERR Protocol error: " + reader_.fault()));
      is_leaving_ = true;
      return;
    }
    execute(std::move(words));
  }
}

void Session::execute(Words words) {
  words.front() = upper(std::move(words.front()));
  if (caller_ && !home_.still(*caller_, password_)) {
    send(resp::error("NOPERM the token is no longer valid, or the task that used it has ended."));
    is_leaving_ = true;
    return;
  }
  if (execute_own(words)) return;
  if (!caller_)
    return send(resp::error(
        "NOAUTH Authentication required: the user is the project, the password a token of quell "
        "(redis://PROJECT:TOKEN@HOST:PORT)."));
  if (multi_) return keep_for_exec(std::move(words));
  if (execute_subscribed(words)) return;
  if (words.front() == "BRPOP" && words.size() >= 3) return block(turn(), words);
  is_busy_ = true;
  home_.desk->run(turn(), words, answer_then_go_on());
}

TurnPtr Session::turn() const {
  auto turn = std::make_shared<Turn>();
  turn->caller = *caller_;
  turn->protocol = protocol_;
  return turn;
}

Done Session::answer_then_go_on() {
  return [weak = weak_from_this()](std::string wire) {
    const auto self = weak.lock();
    if (!self || self->is_over_) return;
    self->send(std::move(wire));
    if (!std::exchange(self->is_busy_, false)) return;
    self->pump();
    self->read();
  };
}

bool Session::execute_own(const Words& words) {
  const std::string& name = words.front();
  if (name == "PING") {
    const std::string text = words.size() > 1 ? words[1] : std::string();
    if (subscribed() > 0 && protocol_ == 2)
      send(resp::array_of(2) + resp::bulk("pong") + resp::bulk(text));
    else
      send(words.size() > 1 ? resp::bulk(text) : resp::simple("PONG"));
  } else if (name == "AUTH" && (words.size() == 2 || words.size() == 3)) {
    authenticate(words.size() == 3 ? words[1] : std::string(), words.back(), resp::simple("OK"));
  } else if (name == "HELLO") {
    hello(words);
  } else if (name == "QUIT") {
    send(resp::simple("OK"));
    is_leaving_ = true;
  } else if (name == "SELECT" || (name == "CLIENT" && words.size() > 1 &&
                                  (upper(words[1]) == "SETNAME" || upper(words[1]) == "SETINFO"))) {
    send(resp::simple("OK"));
  } else if (name == "CLIENT" || name == "COMMAND") {
    send(resp::error("ERR unknown subcommand; this is quell's door for Celery."));
  } else if (name == "INFO") {
    send(resp::bulk("# Server\r\nredis_version:7.0.0\r\nquell_version:" + home_.version + "\r\n"));
  } else if (caller_ && (name == "MULTI" || name == "EXEC" || name == "DISCARD")) {
    begin_multi(words);
  } else if (caller_ && (name == "WATCH" || name == "UNWATCH")) {
    send(resp::simple("OK"));
  } else {
    return false;
  }
  return true;
}

void Session::hello(const Words& words) {
  int protocol = protocol_;
  std::string user, password;
  bool has_password = false;
  if (words.size() > 1) {
    if (words[1] != "2" && words[1] != "3")
      return send(resp::error("NOPROTO unsupported protocol version"));
    protocol = words[1] == "3" ? 3 : 2;
  }
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::string option = upper(words[i]);
    if (option == "AUTH" && i + 2 < words.size()) {
      user = words[i + 1], password = words[i + 2], has_password = true;
      i += 2;
    } else if (option == "SETNAME" && i + 1 < words.size()) {
      ++i;
    } else {
      return send(resp::error("ERR syntax error in HELLO"));
    }
  }
  if (!caller_ && !has_password)
    return send(
        resp::error("NOAUTH HELLO must be called with the client already authenticated, otherwise "
                    "the HELLO <proto> AUTH <user> <pass> option can be used."));
  protocol_ = protocol;
  const std::string welcome =
      resp::map_of(7, protocol) + resp::bulk("server") + resp::bulk("redis") +
      resp::bulk("version") + resp::bulk("7.0.0") + resp::bulk("proto") + resp::number(protocol) +
      resp::bulk("id") + resp::number(1) + resp::bulk("mode") + resp::bulk("standalone") +
      resp::bulk("role") + resp::bulk("master") + resp::bulk("modules") + resp::array_of(0);
  if (has_password) return authenticate(user, password, welcome);
  send(welcome);
}

void Session::authenticate(const std::string& user, const std::string& password,
                           std::string welcome) {
  std::optional<Caller> caller = home_.admit(user, password, remote_);
  if (!caller || subscribed() > 0) {
    send(
        resp::error("WRONGPASS invalid username-password pair: the user is the project, the "
                    "password a token of quell."));
    is_leaving_ = true;  // each guess costs a connection
    return;
  }
  caller_ = std::move(caller);
  password_ = password;
  reader_.set_limits(of_clients(home_.desk->message_max()));
  if (!caller_->attempt) return send(std::move(welcome));
  is_busy_ = true;
  home_.desk->epoch_of(
      caller_->attempt->job, [weak = weak_from_this(), then = answer_then_go_on(),
                              welcome = std::move(welcome)](std::optional<int> epoch) {
        const auto self = weak.lock();
        if (!self) return;
        if (epoch) self->caller_->attempt->epoch = *epoch;
        if (!epoch) self->is_leaving_ = true;
        then(epoch ? welcome : resp::error("NOPERM the task was deleted or has ended."));
      });
}

// ---- transactions ----
void Session::begin_multi(const Words& words) {
  const std::string& name = words.front();
  if (name == "MULTI") {
    if (multi_) return send(resp::error("ERR MULTI calls can not be nested"));
    multi_.emplace();
    multi_bytes_ = 0;
    multi_is_broken_ = false;
    return send(resp::simple("OK"));
  }
  if (!multi_) return send(resp::error("ERR " + name + " without MULTI"));
  if (name == "EXEC") return run_multi();
  multi_.reset();
  send(resp::simple("OK"));
}

// What is too much is let go at once: it will not be executed, and its client may never end it.
void Session::keep_for_exec(Words words) {
  for (const std::string& word : words) multi_bytes_ += word.size();
  if (multi_is_broken_ || multi_->size() >= home_.limits.multi ||
      multi_bytes_ > home_.limits.multi_bytes) {
    multi_is_broken_ = true;
    multi_->clear();
    return send(resp::error("ERR too many commands, or too much, between MULTI and EXEC."));
  }
  multi_->push_back(std::move(words));
  send(resp::simple("QUEUED"));
}

void Session::run_multi() {
  auto left = std::make_shared<std::deque<Words>>(std::move(*multi_));
  multi_.reset();
  if (multi_is_broken_)
    return send(resp::error("EXECABORT Transaction discarded because of previous errors."));
  is_busy_ = true;
  run_next(turn(), left, std::make_shared<std::string>(resp::array_of(left->size())));
}

void Session::run_next(const TurnPtr& turn, const std::shared_ptr<std::deque<Words>>& left,
                       const std::shared_ptr<std::string>& answers) {
  if (left->empty()) return answer_then_go_on()(std::move(*answers));
  const Words words = std::move(left->front());
  left->pop_front();
  home_.desk->run(turn, words, [weak = weak_from_this(), turn, left, answers](std::string wire) {
    const auto self = weak.lock();
    if (!self || self->is_over_) return;
    *answers += wire;
    self->run_next(turn, left, answers);
  });
}

void Session::block(const TurnPtr& turn, const Words& words) {
  is_busy_ = true;
  give_up_ = home_.desk->pop(
      turn, words, [weak = weak_from_this(), then = answer_then_go_on()](std::string wire) {
        if (const auto self = weak.lock()) self->give_up_ = {};
        then(std::move(wire));
      });
  if (!is_busy_) give_up_ = {};  // answered at once
}

// ---- channels ----
bool Session::execute_subscribed(const Words& words) {
  const std::string& name = words.front();
  if (name == "SUBSCRIBE" || name == "PSUBSCRIBE") {
    subscribe(words, name.front() == 'P');
  } else if (name == "UNSUBSCRIBE" || name == "PUNSUBSCRIBE") {
    unsubscribe(words, name.front() == 'P');
  } else {
    return false;
  }
  return true;
}

void Session::subscribe(const Words& words, bool patterns) {
  std::set<std::string>& kept = patterns ? patterns_ : channels_;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const auto refused = home_.desk->refused_channel(words[i]))
      return send(resp::error(*refused));
    if (subscribed() >= home_.limits.subscriptions)
      return send(resp::error("ERR too many subscriptions on one connection."));
    const bool is_new = kept.insert(words[i]).second;
    send(resp::push_of(3, protocol_) + resp::bulk(patterns ? "psubscribe" : "subscribe") +
         resp::bulk(words[i]) + resp::number(static_cast<std::int64_t>(subscribed())));
    if (is_new && !patterns) home_.desk->subscribe(caller_->project, words[i], shared_from_this());
    if (is_new && patterns && words[i].find(".celeryev/") != std::string::npos)
      home_.desk->listen(caller_->project, words[i], shared_from_this());
  }
}

void Session::unsubscribe(const Words& words, bool patterns) {
  const std::set<std::string>& kept = patterns ? patterns_ : channels_;
  std::vector<std::string> names(words.begin() + 1, words.end());
  if (names.empty()) names.assign(kept.begin(), kept.end());
  const char* word = patterns ? "punsubscribe" : "unsubscribe";
  if (names.empty())
    return send(resp::push_of(3, protocol_) + resp::bulk(word) + resp::nothing(protocol_) +
                resp::number(static_cast<std::int64_t>(subscribed())));
  for (const std::string& name : names) unsubscribe_one(word, name, patterns);
}

void Session::unsubscribe_one(const char* word, const std::string& channel, bool patterns) {
  if ((patterns ? patterns_ : channels_).erase(channel) > 0) {
    if (patterns)
      home_.desk->unlisten(this, channel);
    else
      home_.desk->unsubscribe(caller_->project, channel, this);
  }
  send(resp::push_of(3, protocol_) + resp::bulk(word) + resp::bulk(channel) +
       resp::number(static_cast<std::int64_t>(subscribed())));
}

void Session::hear(const std::string& channel, const std::string& payload) {
  send(resp::push_of(3, protocol_) + resp::bulk("message") + resp::bulk(channel) +
       resp::bulk(payload));
}

void Session::hear_pattern(const std::string& pattern, const std::string& channel,
                           const std::string& payload) {
  send(resp::push_of(4, protocol_) + resp::bulk("pmessage") + resp::bulk(pattern) +
       resp::bulk(channel) + resp::bulk(payload));
}

// ---- writing ----
void Session::send(std::string wire) {
  if (is_over_) return;
  unsent_bytes_ += wire.size();
  if (unsent_bytes_ > home_.limits.unsent) return close();  // a reader that does not read
  unsent_.push_back(std::move(wire));
  flush();
}

void Session::flush() {
  if (is_writing_ || unsent_.empty() || is_over_) return;
  is_writing_ = true;
  wrote_ = std::chrono::steady_clock::now();
  // What has gathered goes as one write.
  while (unsent_.size() > 1 && unsent_.front().size() + unsent_[1].size() < 65536) {
    unsent_.front() += unsent_[1];
    unsent_.erase(unsent_.begin() + 1);
  }
  stream_->write(unsent_.front(),
                 [self = shared_from_this()](boost::system::error_code fault, std::size_t size) {
                   self->is_writing_ = false;
                   if (fault) return self->close();
                   self->unsent_bytes_ -= size;
                   self->unsent_.pop_front();
                   if (self->unsent_.empty() && self->is_leaving_) return self->close();
                   self->flush();
                 });
}

}  // namespace quell::http::celery
