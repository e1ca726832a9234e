// Deleting jobs by id.
#include "http/api/api_server.hpp"
#include "http/api/delete_request.hpp"
#include "http/api/handlers/by_filter.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/delete_views.hpp"

namespace quell::http::handlers {

namespace {

void delete_many(const RequestPtr& call, bool strict) {
  std::optional<DeleteRequest> request = read_bulk_delete(*call, strict);
  if (!request) return;
  OutcomeDetail detail = OutcomeDetail::brief;
  if (call->query("proof") == "full") detail = OutcomeDetail::full;
  if (call->query("outcomes") == "failed") detail = OutcomeDetail::failed_only;
  call->api.node().erase(std::move(*request),
                         call->on_loop<DeleteReport>([call, detail](Result<DeleteReport> report) {
                           if (!report) return fail_held(*call, report.error());
                           call->reply(bulk_delete_response(*report, detail));
                         }));
}

}  // namespace

void delete_job(RequestPtr call) {
  bool allow_missing = false;
  std::optional<DeleteRequest> request = read_single_delete(*call, allow_missing);
  if (!request) return;
  call->api.node().erase(
      std::move(*request),
      call->on_loop<DeleteReport>([call, allow_missing](Result<DeleteReport> report) {
        if (!report) return fail_held(*call, report.error());
        call->reply(
            single_delete_response(*report, allow_missing, call->request.path, call->request_id));
      }));
}

void bulk_delete(RequestPtr call) {
  delete_many(call, true);
}

void bulk_delete_old(RequestPtr call) {
  delete_many(call, false);
}

}  // namespace quell::http::handlers
