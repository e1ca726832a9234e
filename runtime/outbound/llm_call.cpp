// JobContext::llm: one streamed completion. Words are shown while they come, and what they cost is
// told with them, so that a delete in mid stream can say what had been spent.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/utf8.hpp"
#include "runtime/kinds/text.hpp"
#include "runtime/outbound/llm_stream.hpp"
#include "runtime/policy/retry_after.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/task/task.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr std::size_t shown_at_once = 256;  // bytes; a row of a token each would drown the store
constexpr Millis shown_after{250};
constexpr std::size_t fault_body = std::size_t{64} << 10;

// Adds this call's figures to what the attempt has told before.
std::string usage_with(const std::string& before, const LlmStream& stream) {
  Json sum = json_of_ours(before);
  if (!sum.is_object()) sum = Json::object();
  const LlmUsage& usage = stream.usage();
  const auto add = [&](const char* name, std::int64_t count) {
    sum[name] = sum.value(name, std::int64_t{0}) + count;
  };
  add("requests", 1);
  add("input_tokens", usage.input_tokens);
  add("output_tokens", usage.output_tokens);
  add("streamed_bytes", std::ssize(stream.text()));
  sum["estimated"] = usage.estimated || sum.value("estimated", false);
  if (const auto cost = stream.cost()) sum["cost"] = sum.value("cost", 0.0) + *cost;
  return sum.dump();
}

// Shows what has come: at once when it is much or late, and the rest when the frame goes, which is
// before the run says what it used.
class Shown {
 public:
  Shown(JobContext& job, const LlmStream& stream)
      : job_(job), stream_(stream), before_(job.host().used()) {}
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;
  ~Shown() {
    try {
      show();
    } catch (const std::exception&) {
      // Out of memory: nobody can be told.
    }
  }
  void more() {
    const Millis now = system_clock().monotonic();
    const bool late = !last_ || now - *last_ >= shown_after;
    if (stream_.text().size() - shown_ < shown_at_once && !late) return;
    last_ = now;
    show();
  }

 private:
  void show() {
    if (stream_.text().size() > shown_) {
      const Json words{{"text", std::string_view(stream_.text()).substr(shown_)}};
      job_.partial(words.dump(-1, ' ', false, Json::error_handler_t::replace));
      shown_ = stream_.text().size();
    }
    job_.usage(usage_with(before_, stream_));
  }

  JobContext& job_;
  const LlmStream& stream_;
  const std::string before_;
  std::size_t shown_ = 0;
  std::optional<Millis> last_;
};

JobError cut(const LlmStream& stream, const std::string& why, bool again = true) {
  return JobError("outbound-failed", "the stream was cut after " + stream.so_far() + ": " + why,
                  again);
}

// Also a 429 when the account is empty: no waiting helps.
JobError refusal(const std::string& url, const HttpReply& head, const std::string& body) {
  JobError error = unwelcome_reply(url, head, as_utf8(body), system_clock().now());
  if (body.find("insufficient_quota") == std::string::npos) return error;
  return JobError(error.code(), error.detail(), false);
}

Async<std::string> read_whole(ByteStream& stream, std::size_t most) {
  std::string body;
  while (body.size() < most) {
    std::optional<std::string> piece = co_await stream.read();
    if (!piece) break;
    body += *piece;
  }
  co_return body;
}

Async<void> read_events(ByteStream& body, LlmStream& stream, Shown& shown) {
  while (!stream.done()) {
    std::optional<std::string> piece;
    try {
      piece = co_await body.read();
    } catch (const JobError& error) {
      if (stream.complete()) break;  // all words had come, only the provider's count is missing
      throw cut(stream, error.detail(), error.retryable());
    }
    if (!piece) break;
    stream.feed(*piece);
    shown.more();
  }
  stream.finish();
}

}  // namespace

Async<LlmReply> JobContext::llm(LlmRequest request) {
  JobContext job = *this;
  const HttpRequest http = request.http(job.host().settings().llm_idle_timeout);
  LlmStream stream(request);
  ByteStream body = job.open_http(http);
  HttpReply head = co_await body.head();
  if (!head.ok()) {
    std::string said = co_await read_whole(body, fault_body);
    throw refusal(http.url(), head, said);
  }
  Shown shown(job, stream);
  if (head.header("Content-Type").find("application/json") != std::string::npos) {
    std::string whole = co_await read_whole(body, http.max_body());
    stream.whole_reply(whole);
    co_return stream.reply();
  }
  co_await read_events(body, stream, shown);
  if (!stream.complete()) throw cut(stream, "it ended without a word");
  co_return stream.reply();
}

}  // namespace quell
