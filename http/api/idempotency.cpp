#include "http/api/idempotency.hpp"

#include <nlohmann/json.hpp>

#include "http/api/api_server.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/digest.hpp"

namespace quell::http {

namespace {

using Go = std::function<void(std::vector<NewJob>, bool)>;

constexpr auto kept = std::chrono::hours{24};
constexpr std::size_t longest_key = 255;

std::string fingerprint(const RequestContext& call) {
  return base64(sha256(std::string{call.request.path} + "\n" + call.request.body));
}

std::string record_json(const std::string& print, const std::vector<NewJob>& jobs) {
  std::string out;
  {
    ObjectWriter record(out);
    record.text("fingerprint", print);
    append_list(record.key("ids"), jobs,
                [](std::string& to, const NewJob& job) { append_quoted(to, job.id.text()); });
  }
  return out;
}

void repeat(const RequestPtr& call, const std::string& print, std::vector<NewJob> jobs,
            const storage::Doc& doc, const Go& go) {
  const auto record = json_of_ours(doc.body);
  const auto ids = record.value("ids", std::vector<std::string>{});
  if (record.value("fingerprint", "") != print || ids.size() != jobs.size())
    return call->fail({ErrorCode::idempotency_key_reused});
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (const auto id = Uuid::parse(ids[i])) jobs[i].id = *id;
  call->extra_headers.emplace_back("Idempotency-Replayed", "true");
  go(std::move(jobs), true);
}

}  // namespace

void once(const RequestPtr& call, std::vector<NewJob> jobs, Go go) {
  if (!call->request.has_header("Idempotency-Key")) return go(std::move(jobs), false);
  const std::string key{call->request.header("Idempotency-Key")};
  if (key.empty() || key.size() > longest_key)
    return call->fail({ErrorCode::invalid_field, "Idempotency-Key has 1 to 255 characters."});
  const std::string id = call->principal.token_id + ":" + key;
  const std::string print = fingerprint(*call);
  storage::Batch batch;
  batch.docs.push_back(
      {"idempotency", id, "default", record_json(print, jobs), 0, call->api.now() + kept});
  const auto stored = [call, id, print, todo = std::move(jobs),
                       next = std::move(go)](Result<storage::Outcome> done) {
    if (!done) return call->fail(done.error());
    if (done->docs.front().written) return next(todo, false);
    call->read([call, id, print, todo, next](storage::Reader& reader) {
      const Result<std::optional<storage::Doc>> doc = reader.doc("idempotency", id);
      if (!doc) return call->fail(doc.error());
      if (!doc.value()) return call->fail({ErrorCode::idempotency_in_progress});
      call->post([call, print, todo, next, found = *doc.value()] {
        repeat(call, print, todo, found, next);
      });
    });
  };
  call->api.node().write(std::move(batch), call->on_loop<storage::Outcome>(stored));
}

}  // namespace quell::http
