#include "http/celery/desk.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell::http::celery {

namespace resp = quell::celery::resp;

struct Desk::Row {
  Command command;
  std::size_t least, most;  // words, the command's name among them
};

namespace {
constexpr std::size_t any = 4096;
constexpr std::string_view is_worker =
    "ERR quell runs the tasks of Celery itself: stop this worker, and start quell with --celery "
    "MODULE:APP.";
}  // namespace

const std::map<std::string, Desk::Row, std::less<>>& Desk::table() {
  static const std::map<std::string, Row, std::less<>> rows{
      {"LPUSH", {&Desk::push, 3, 3}},
      {"LLEN", {&Desk::length, 2, 2}},
      {"GET", {&Desk::get, 2, 2}},
      {"MGET", {&Desk::get_many, 2, 1024}},
      {"SET", {&Desk::set, 3, 8}},
      {"SETEX", {&Desk::set_for, 4, 4}},
      {"DEL", {&Desk::remove, 2, any}},
      {"PUBLISH", {&Desk::publish, 3, 3}},
      {"ZADD", {&Desk::add_part, 4, 4}},
      {"RPUSH", {&Desk::add_part, 3, 3}},
      {"ZCOUNT", {&Desk::count_parts, 4, 4}},
      {"ZRANGE", {&Desk::read_parts, 4, 4}},
      {"LRANGE", {&Desk::read_parts, 4, 4}},
      {"INCRBY", {&Desk::add_number, 3, 3}},
      {"SADD", {&Desk::bind, 3, 3}},
      {"SREM", {&Desk::unbind, 3, 3}},
      {"SMEMBERS", {&Desk::bindings, 2, 2}},
      {"EXPIRE", {&Desk::one, 3, 3}},
      {"PEXPIRE", {&Desk::one, 3, 3}},
      {"ZREVRANGEBYSCORE", {&Desk::nothing_there, 4, any}},
      {"ZREM", {&Desk::one, 3, any}},
      {"HDEL", {&Desk::one, 3, any}},
      {"HGET", {&Desk::nothing_there, 3, 3}},
      {"EVALSHA", {&Desk::script, 3, any}},
      {"SCRIPT", {&Desk::script, 2, any}},
      {"HSET", {&Desk::worker, 2, any}},
  };
  return rows;
}

std::string queue_of(std::string_view key) {
  return std::string(key.substr(0, key.find(priority_mark)));
}

std::string stored_name(const std::string& project, std::string_view name) {
  return std::string(project).append("/").append(name);
}

std::string refusal(const Error& error) {
  const std::string sentence =
      error.detail.empty() ? std::string(info(error.code).sentence) : error.detail;
  return resp::error("ERR " + sentence);
}

Desk::Desk(Node& node, Loop& loop, std::size_t message_max)
    : node_(node), loop_(loop), message_max_(message_max) {}

Desk::~Desk() {
  close();
}

void Desk::close() {
  if (subscription_) node_.unsubscribe(*subscription_);
  subscription_.reset();
  alive_.reset();
}

void Desk::run(const TurnPtr& turn, const Words& words, Done done) {
  const auto row = table().find(words.front());
  if (row == table().end())
    return done(resp::error("ERR quell's door for Celery does not know the command '" +
                            words.front().substr(0, 64) +
                            "'; it is no Redis for other uses. docs/guides/from-celery.md lists "
                            "what it takes."));
  if (words.size() < row->second.least || words.size() > row->second.most)
    return done(resp::error("ERR wrong number of arguments for '" + words.front() + "'"));
  (this->*row->second.command)(turn, words, std::move(done));
}

// ---- what needs no answer of its own ----
void Desk::one(const TurnPtr&, const Words&, Done done) {
  done(resp::number(1));
}
void Desk::nothing_there(const TurnPtr& turn, const Words& words, Done done) {
  done(words.front() == "HGET" ? resp::nothing(turn->protocol) : resp::array_of(0));
}
// kombu's lock around what it restores; there is nothing to restore here.
void Desk::script(const TurnPtr&, const Words& words, Done done) {
  if (words.front() == "SCRIPT" && words.size() == 3 && words[1] == "LOAD")
    return done(resp::bulk("0000000000000000000000000000000000000000"));
  done(words.front() == "EVALSHA" && words.size() > 3 && words[3] == "unacked_mutex"
           ? resp::number(1)
           : resp::error("ERR quell's door for Celery runs no scripts."));
}
void Desk::worker(const TurnPtr&, const Words&, Done done) {
  done(resp::error(is_worker));
}

std::optional<std::string> Desk::refused_channel(const std::string& channel) const {
  if (channel.starts_with("/") && channel.ends_with(".pidbox")) return std::string(is_worker);
  return std::nullopt;
}

// ---- the store ----
void Desk::write(storage::Batch batch, std::function<void(Result<storage::Outcome>)> answer) {
  node_.write(std::move(batch), [this, alive = std::weak_ptr<bool>(alive_),
                                 answer = std::move(answer)](Result<storage::Outcome> outcome) {
    if (alive.expired()) return;
    auto shared = std::make_shared<Result<storage::Outcome>>(std::move(outcome));
    loop_.post([alive, shared, answer] {
      if (!alive.expired()) answer(std::move(*shared));
    });
  });
}

void Desk::epoch_of(const JobId& job, std::function<void(std::optional<int>)> answer) {
  read<std::optional<int>>(
      [job](storage::Reader& reader) -> std::optional<int> {
        const auto found = reader.get({job}, false);
        if (!found || found->empty() || !found->front().job) return std::nullopt;
        const JobView& view = *found->front().job;
        return view.state == JobState::running ? std::optional(view.epoch) : std::nullopt;
      },
      std::move(answer));
}

Result<Known> Desk::look(storage::Reader& reader, const std::string& project, const std::string& id,
                         bool with_steps) {
  Known known;
  known.alias.id = id;
  const auto doc = reader.doc("celery-task", stored_name(project, id));
  if (!doc) return doc.error();
  if (!doc.value()) return known;
  const nlohmann::json body = json_of_ours((*doc.value()).body);
  known.alias.version = (*doc.value()).version;
  if (!body.is_object()) return known;
  known.alias.job = Uuid::parse(body.value("job", ""));
  known.alias.is_forgotten = body.value("forgotten", false);
  if (!known.alias.job) return known;
  auto found = reader.get({*known.alias.job}, false);
  if (!found) return found.error();
  if (found->empty()) return known;
  known.job = std::move(found->front().job);
  known.has_tomb = !known.job && found->front().tomb.has_value();
  if (!known.job || !with_steps) return known;
  auto steps = reader.steps(*known.alias.job);
  if (!steps) return steps.error();
  for (auto& step : *steps) {
    if (step.name == quell::celery::step::meta) known.meta = std::move(step.result);
    if (step.name == quell::celery::step::part) known.part = std::move(step.result);
  }
  return known;
}

void Desk::look_up(std::string project, std::string id, bool with_steps,
                   std::function<void(Result<Known>)> answer) {
  read<Result<Known>>(
      [project = std::move(project), id = std::move(id), with_steps](storage::Reader& reader) {
        return look(reader, project, id, with_steps);
      },
      std::move(answer));
}

}  // namespace quell::http::celery
