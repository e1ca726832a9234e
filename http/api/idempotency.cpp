#include "http/api/idempotency.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "http/api/api_server.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/digest.hpp"

namespace quell::http {

namespace {

using Go = std::function<void(std::vector<Uuid>, bool)>;

constexpr auto kept = std::chrono::hours{24};
constexpr std::size_t longest_key = 255;
constexpr std::int64_t key_is_new = 1;  // the version of a record behind which nothing is made yet

std::string fingerprint(const RequestContext& call) {
  return base64(sha256(std::string{call.request.path} + "\n" + call.request.body));
}

std::string record_id(const RequestContext& call) {
  return call.principal.token_id + ":" + std::string(call.request.header("Idempotency-Key"));
}

std::string record_json(const std::string& print, const std::vector<Uuid>& ids) {
  std::string out;
  {
    ObjectWriter record(out);
    record.text("fingerprint", print);
    append_list(record.key("ids"), ids,
                [](std::string& to, const Uuid& id) { append_quoted(to, id.text()); });
  }
  return out;
}

void repeat(const RequestPtr& call, const std::string& print, std::vector<Uuid> ids,
            const storage::Doc& doc, const Go& go) {
  const auto record = json_of_ours(doc.body);
  const auto first = record.value("ids", std::vector<std::string>{});
  if (record.value("fingerprint", "") != print || first.size() != ids.size())
    return call->fail({ErrorCode::idempotency_key_reused});
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (const auto id = Uuid::parse(first[i])) ids[i] = *id;
  call->extra_headers.emplace_back("Idempotency-Replayed", "true");
  go(std::move(ids), true);
}

}  // namespace

std::string held_key(const RequestContext& call) {
  const std::string_view key = call.request.header("Idempotency-Key");
  if (key.empty() || key.size() > longest_key) return {};
  const std::string asked = fmt::format("{}\n{}\n{}\n{}", call.request.method, call.request.path,
                                        call.request.query, call.request.body);
  return record_id(call) + ":" + base64(sha256(asked));
}

bool has_key(const RequestContext& call) {
  return call.request.has_header("Idempotency-Key");
}

storage::DocOp made_under_key(const RequestContext& call, const std::vector<Uuid>& ids) {
  return {"idempotency", record_id(call),      "default", record_json(fingerprint(call), ids),
          key_is_new,    call.api.now() + kept};
}

void forget_key(RequestContext& call) {
  storage::Batch batch;
  batch.docs.push_back({"idempotency", record_id(call), "default", std::nullopt});
  call.api.node().write(std::move(batch), [](const Result<storage::Outcome>&) {});
}

bool is_made(const RequestContext& call, storage::Reader& reader) {
  const auto doc = reader.doc("idempotency", record_id(call));
  return doc && *doc && (*doc)->version > key_is_new;
}

void once(const RequestPtr& call, std::vector<Uuid> ids, Go go) {
  if (!has_key(*call)) return go(std::move(ids), false);
  const std::string key{call->request.header("Idempotency-Key")};
  if (key.empty() || key.size() > longest_key)
    return call->fail({ErrorCode::invalid_field, "Idempotency-Key has 1 to 255 characters."});
  const std::string id = record_id(*call);
  const std::string print = fingerprint(*call);
  storage::Batch batch;
  batch.docs.push_back(
      {"idempotency", id, "default", record_json(print, ids), 0, call->api.now() + kept});
  const auto stored = [call, id, print, todo = std::move(ids),
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

void once(const RequestPtr& call, std::vector<NewJob> jobs,
          std::function<void(std::vector<NewJob>, bool)> go) {
  if (!has_key(*call)) return go(std::move(jobs), false);
  std::vector<Uuid> ids;
  for (const NewJob& job : jobs) ids.push_back(job.id);
  once(call, std::move(ids),
       [todo = std::move(jobs), next = std::move(go)](const std::vector<Uuid>& told, bool again) {
         std::vector<NewJob> same = todo;
         for (std::size_t i = 0; i < told.size(); ++i) same[i].id = told[i];
         next(std::move(same), again);
       });
}

}  // namespace quell::http
