// The audit log, and whether its chain holds.
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "storage/audit_check.hpp"
#include "storage/audit_entry.hpp"

namespace quell::http::handlers {

namespace {

constexpr int page = 1'000;  // entries of one listing

void append_row(std::string& out, const storage::AuditRow& row) {
  ObjectWriter view(out);
  view.number("no", row.no);
  view.time("at", row.at);
  view.text("who", row.who);
  view.text("what", row.what);
  view.text("ref", row.ref);
  view.json("detail", row.detail);
  view.text_or_null("digest", row.digest);
  view.text_or_null("hash", row.hash);
}

std::string check_json(const AuditCheck& check) {
  std::string out;
  {
    ObjectWriter view(out);
    view.flag("holds", !check.fault);
    if (check.fault) {
      view.text("fault", to_string(*check.fault));
      view.number("fault_no", check.fault_no);
    }
    view.number("sealed", check.sealed);
    view.number("waiting", check.waiting);
    view.number("head", check.head.no);
  }
  return out;
}

// A head that left the database in a receipt: the chain must still reach it. Nothing, and the call
// is answered, when it is wrong.
std::optional<std::vector<AuditHead>> known_heads(RequestContext& call) {
  const auto text = call.query("known_hash");
  const auto no = call.number("known_no", 0, 0, std::numeric_limits<std::int64_t>::max());
  if (!no) return std::nullopt;
  if (!text && *no == 0) return std::vector<AuditHead>{};
  const auto hash = storage::digest_of_hex(text.value_or(""));
  if (!hash || *no == 0) {
    call.fail({ErrorCode::invalid_field,
               "A known head is 'known_no' and 'known_hash', as 'audit_head' of a receipt."});
    return std::nullopt;
  }
  return std::vector<AuditHead>{{*no, *hash}};
}

}  // namespace

void list_audit(RequestPtr call) {
  if (!call->allow_only({"after", "limit"})) return;
  const auto after = call->number("after", 0, 0, std::numeric_limits<std::int64_t>::max());
  if (!after) return;
  const auto limit = call->number("limit", 100, 1, page);
  if (!limit) return;
  // Entries name jobs of every project; who belongs to one may not read them.
  if (!call->is_of_all_projects("The audit log is")) return;
  call->read([call, from = *after, n = static_cast<int>(*limit)](storage::Reader& reader) {
    const Result<std::vector<storage::AuditRow>> rows = reader.audit(from, n);
    if (!rows) return call->fail(rows.error());
    std::string out = "{\"entries\":";
    append_list(out, rows.value(), append_row);
    const std::int64_t next = rows.value().empty() ? from : rows.value().back().no;
    call->reply(200, out + ",\"next_after\":" + std::to_string(next) + '}');
  });
}

void verify_audit(RequestPtr call) {
  if (!call->allow_only({"known_no", "known_hash"})) return;
  const auto known = known_heads(*call);
  if (!known) return;
  call->read([call, heads = *known](storage::Reader& reader) {
    const Result<AuditCheck> check = storage::check_audit(reader, heads);
    if (!check) return call->fail(check.error());
    call->reply(200, check_json(check.value()));
  });
}

}  // namespace quell::http::handlers
