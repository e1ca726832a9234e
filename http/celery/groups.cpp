// Chords and bindings: values that several change. A chord's parts are counted in one document, by
// whoever wrote it; the parts themselves lie with their jobs and go with them.
#include <algorithm>
#include <charconv>

#include "http/celery/desk.hpp"
#include "http/celery/json.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell::http::celery {

namespace resp = quell::celery::resp;
namespace step = quell::celery::step;

namespace {

constexpr Millis chord_ttl{std::chrono::hours{24 * 7}};
constexpr int tries_max = 1000;  // of a change that others were faster with
constexpr const char* chord_kind = "celery-chord";
constexpr std::size_t bindings_max = 10'000;

Json list_in(const std::optional<std::string>& stored) {
  Json list = stored ? json_of_ours(*stored) : Json::array();
  return list.is_array() ? list : Json::array();
}

// What a chord's body is told of a part that was deleted: Celery makes a ChordError of it.
std::string missing_part(const std::string& id) {
  return dumped(Json::array({1,
                             id,
                             "REVOKED",
                             {{"exc_type", "TaskRevokedError"},
                              {"exc_message", {"deleted"}},
                              {"exc_module", "celery.exceptions"}}}));
}

}  // namespace

void Desk::change(const std::string& kind, const std::string& id, const std::string& project,
                  Change change, std::optional<Instant> until, int tries,
                  std::function<void(Result<std::string>)> answer) {
  read<Result<std::optional<storage::Doc>>>(
      [kind, id](storage::Reader& reader) { return reader.doc(kind, id); },
      [this, kind, id, project, change = std::move(change), until, tries,
       answer = std::move(answer)](Result<std::optional<storage::Doc>> doc) {
        if (!doc) return answer(doc.error());
        std::optional<std::string> was;
        std::int64_t version = 0;
        if (doc.value()) was = (*doc.value()).body, version = (*doc.value()).version;
        const std::optional<std::string> body = change(was);
        if (!body) return answer(was.value_or(std::string()));
        storage::Batch batch;
        batch.docs.push_back({kind, id, project, *body, version, until});
        write(std::move(batch), [this, kind, id, project, change, until, tries, answer,
                                 body](Result<storage::Outcome> outcome) {
          if (!outcome) return answer(outcome.error());
          if (outcome->docs.front().written) return answer(*body);
          if (tries == 0) return answer(Error{ErrorCode::overloaded});
          this->change(kind, id, project, change, until, tries - 1, answer);
        });
      });
}

// ZADD KEY SCORE PART, or RPUSH KEY PART. The part is kept with its job before it is counted.
void Desk::add_part(const TurnPtr& turn, const Words& words, Done done) {
  const auto& attempt = turn->caller.attempt;
  if (!words[1].starts_with(group_key) || !attempt) return worker(turn, words, std::move(done));
  double score = 0;
  if (words.size() == 4) {
    const std::string& text = words[2];
    const auto [stop, wrong] = std::from_chars(text.data(), text.data() + text.size(), score);
    if (wrong != std::errc{}) score = 1e18;  // "+inf": a part without a place
  }
  storage::FlushOp op{.job = attempt->job, .epoch = attempt->epoch, .now = now()};
  op.steps.push_back({step::part, words.back()});
  storage::Batch batch;
  batch.flushes.push_back(std::move(op));
  const std::string key = words[1];
  write(std::move(batch),
        [this, turn, key, score, done = std::move(done)](Result<storage::Outcome> outcome) {
          if (!outcome) return done(refusal(outcome.error()));
          if (!outcome->flushes.front())
            return done(resp::error("ERR the task was deleted or has ended."));
          const std::string id = turn->caller.attempt->id;
          auto counted = [turn, key, done](Result<std::string> list) {
            if (!list) return done(refusal(list.error()));
            turn->parts_seen[key] = json_of_ours(*list).size();
            done(resp::number(1));
          };
          change(
              chord_kind, stored_name(turn->caller.project, key), turn->caller.project,
              [id, score](const std::optional<std::string>& was) -> std::optional<std::string> {
                Json list = list_in(was);
                for (const Json& part : list)
                  if (part.at(1) == id) return std::nullopt;  // counted before
                list.push_back(Json::array({score, id}));
                return dumped(list);
              },
              now() + chord_ttl, tries_max, counted);
        });
}

// Behind an add of the same EXEC: as many as there were with that one, so that one part alone sees
// the last of them.
void Desk::count_parts(const TurnPtr& turn, const Words& words, Done done) {
  const auto seen = turn->parts_seen.find(words[1]);
  if (seen != turn->parts_seen.end())
    return done(resp::number(static_cast<std::int64_t>(seen->second)));
  read<std::size_t>(
      [id = stored_name(turn->caller.project, words[1])](storage::Reader& reader) {
        const auto doc = reader.doc(chord_kind, id);
        return doc && doc.value() ? list_in((*doc.value()).body).size() : 0;
      },
      [done = std::move(done)](std::size_t count) {
        done(resp::number(static_cast<std::int64_t>(count)));
      });
}

void Desk::read_parts(const TurnPtr& turn, const Words& words, Done done) {
  using Parts = Result<std::vector<std::string>>;
  if (!words[1].starts_with(group_key)) return worker(turn, words, std::move(done));
  read<Parts>(
      [project = turn->caller.project, key = words[1]](storage::Reader& reader) -> Parts {
        const auto doc = reader.doc(chord_kind, stored_name(project, key));
        if (!doc) return doc.error();
        Json list = doc.value() ? list_in((*doc.value()).body) : Json::array();
        std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) {
          return a.at(0).get<double>() < b.at(0).get<double>();
        });
        std::vector<std::string> parts;
        for (const Json& part : list) {
          const auto id = part.at(1).get<std::string>();
          auto known = look(reader, project, id, true);
          if (!known) return known.error();
          parts.push_back(known->part ? *known->part : missing_part(id));
        }
        return parts;
      },
      [done = std::move(done)](Parts parts) {
        if (!parts) return done(refusal(parts.error()));
        std::string wire = resp::array_of(parts->size());
        for (const std::string& part : *parts) wire += resp::bulk(part);
        done(std::move(wire));
      });
}

void Desk::add_number(const TurnPtr& turn, const Words& words, Done done) {
  std::int64_t by = 0;
  const std::string& text = words[2];
  const auto [stop, wrong] = std::from_chars(text.data(), text.data() + text.size(), by);
  if (wrong != std::errc{} || !words[1].starts_with(group_key))
    return done(resp::error("ERR only the size of a chord is counted here."));
  change(
      "celery-value", stored_name(turn->caller.project, words[1]), turn->caller.project,
      [by](const std::optional<std::string>& was) -> std::optional<std::string> {
        const std::int64_t value = was ? std::strtoll(was->c_str(), nullptr, 10) : 0;
        return std::to_string(value + by);
      },
      now() + chord_ttl, tries_max,
      [done = std::move(done)](Result<std::string> value) {
        if (!value) return done(refusal(value.error()));
        done(resp::number(std::strtoll(value->c_str(), nullptr, 10)));
      });
}

// ---- bindings: where an exchange of kombu's leads. The client routes by them. ----
void Desk::bind(const TurnPtr& turn, const Words& words, Done done) {
  if (!words[1].starts_with(binding_key)) return worker(turn, words, std::move(done));
  if (words[1].ends_with(".pidbox")) return done(resp::number(1));
  auto is_new = std::make_shared<bool>(false);
  change(
      "celery-binding", stored_name(turn->caller.project, words[1]), turn->caller.project,
      [member = words[2],
       is_new](const std::optional<std::string>& was) -> std::optional<std::string> {
        Json list = list_in(was);
        *is_new = std::find(list.begin(), list.end(), member) == list.end();
        if (!*is_new || list.size() >= bindings_max) return std::nullopt;
        list.push_back(member);
        return dumped(list);
      },
      {}, tries_max,
      [done = std::move(done), is_new](Result<std::string> stored) {
        done(stored ? resp::number(*is_new ? 1 : 0) : refusal(stored.error()));
      });
}

void Desk::unbind(const TurnPtr& turn, const Words& words, Done done) {
  if (!words[1].starts_with(binding_key)) return worker(turn, words, std::move(done));
  if (words[1].ends_with(".pidbox")) return done(resp::number(1));
  change(
      "celery-binding", stored_name(turn->caller.project, words[1]), turn->caller.project,
      [member = words[2]](const std::optional<std::string>& was) -> std::optional<std::string> {
        Json list = list_in(was);
        const auto found = std::find(list.begin(), list.end(), member);
        if (found == list.end()) return std::nullopt;
        list.erase(found);
        return dumped(list);
      },
      {}, tries_max,
      [done = std::move(done)](Result<std::string> stored) {
        done(stored ? resp::number(1) : refusal(stored.error()));
      });
}

void Desk::bindings(const TurnPtr& turn, const Words& words, Done done) {
  if (!words[1].starts_with(binding_key)) return worker(turn, words, std::move(done));
  read<std::vector<std::string>>(
      [id = stored_name(turn->caller.project, words[1])](storage::Reader& reader) {
        std::vector<std::string> members;
        const auto doc = reader.doc("celery-binding", id);
        if (doc && doc.value())
          for (const Json& member : list_in((*doc.value()).body))
            if (member.is_string()) members.push_back(member.get<std::string>());
        return members;
      },
      [turn, done = std::move(done)](std::vector<std::string> members) {
        std::string wire = turn->protocol == 3 ? "~" + std::to_string(members.size()) + "\r\n"
                                               : resp::array_of(members.size());
        for (const std::string& member : members) wire += resp::bulk(member);
        done(std::move(wire));
      });
}

}  // namespace quell::http::celery
