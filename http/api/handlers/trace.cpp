// Where did it go: one answer for any id that was ever here.
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/traced.hpp"

namespace quell::http::handlers {

void trace_job(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const Asker asker{call->principal.project, call->principal.who(),
                      call->api.node().public_key_pem()};
    const Result<Traced> traced = trace_id(reader, id, asker, call->api.now());
    if (!traced) return call->fail(traced.error());
    call->reply(200, traced_json(*traced, id));
  });
}

}  // namespace quell::http::handlers
