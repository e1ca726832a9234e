// Backups: what there is, how the last ones went, and making one.
#include <nlohmann/json.hpp>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/bounded_json.hpp"
#include "storage/backup/catalog.hpp"

namespace quell::http::handlers {

namespace {

std::int64_t jobs_of(const storage::TableSums& sums) {
  return static_cast<std::int64_t>(
      sums[static_cast<std::size_t>(storage::BackupTableId::job)].rows);
}

const char* words_of(storage::BackupSecrets secrets) {
  return secrets == storage::BackupSecrets::wrapped ? "wrapped" : "left out";
}

void append_backup(std::string& out, const storage::ListedBackup& one) {
  ObjectWriter view(out);
  const bool known = one.head.format > 0 && !one.head.id.is_nil();
  const auto time = [](Instant at) { return at == Instant{} ? std::nullopt : std::optional(at); };
  view.text("name", one.name);
  view.number("bytes", static_cast<std::int64_t>(one.bytes));
  view.text_or_null("backup_id", known ? one.head.id.text() : "");
  view.time("moment", time(one.head.moment));
  view.time("ended", time(one.ended));
  view.number("jobs", jobs_of(one.sums));
  view.text_or_null("store", one.head.store);
  view.text_or_null("product", one.head.product);
  view.text("secrets", words_of(one.head.secrets));
  view.flag("rotates", one.rotates);
  view.text_or_null("fault", one.fault);
}

void append_running(std::string& out, const std::optional<RunningBackup>& running) {
  if (!running) {
    out += "null";
    return;
  }
  ObjectWriter view(out);
  view.text("backup_id", running->id.text());
  view.time("began", running->began);
  view.text_or_null("table", running->table);
  view.number("rows", static_cast<std::int64_t>(running->rows));
  view.number("bytes", static_cast<std::int64_t>(running->bytes));
}

// As the keeper wrote it: actors/backups/backup_keeper.cpp.
void append_last(std::string& out, const std::optional<storage::Doc>& doc, bool failed) {
  const nlohmann::json body = doc ? json_of_ours(doc->body) : nlohmann::json();
  if (!body.is_object()) {
    out += "null";
    return;
  }
  const auto time = [&](const char* name) {
    return Instant{Millis{body.value(name, std::int64_t{0})}};
  };
  ObjectWriter view(out);
  view.text("backup_id", body.value("backup_id", ""));
  if (!failed) view.time("moment", time("at"));
  view.time("ended", time("ended"));
  view.text("node", body.value("node", ""));
  if (failed) {
    view.text("error", body.value("error", ""));
    return;
  }
  view.text("name", body.value("name", ""));
  view.number("bytes", body.value("bytes", std::int64_t{0}));
  view.number("jobs", body.value("jobs", std::int64_t{0}));
  view.text("digest", body.value("digest", ""));
}

std::string backups_json(Node& node, const std::optional<storage::Doc>& last,
                         const std::optional<storage::Doc>& failed) {
  const NodeSettings& settings = node.settings();
  std::vector<storage::ListedBackup> backups;
  std::string fault;
  if (!settings.backup_dir.empty()) {
    auto listed = storage::list_backups(settings.backup_dir);
    if (listed)
      backups = std::move(*listed);
    else
      fault = listed.error().detail;
  }
  std::string out;
  {
    ObjectWriter view(out);
    view.text_or_null("dir", settings.backup_dir);
    view.number("every_s", setting_type::seconds::number(settings.backup_every));
    {
      ObjectWriter keep(view.key("keep"));
      keep.number("hourly", settings.backup_keep_hourly);
      keep.number("daily", settings.backup_keep_daily);
      keep.number("weekly", settings.backup_keep_weekly);
    }
    view.text("secrets", settings.backup_passphrase_file.empty() ? "left out" : "wrapped");
    append_running(view.key("running"), node.running_backup());
    append_last(view.key("last"), last, false);
    append_last(view.key("last_failure"), failed, true);
    append_list(view.key("backups"), backups, append_backup);
    view.text_or_null("fault", fault);
  }
  return out;
}

}  // namespace

void list_backups(RequestPtr call) {
  if (!call->allow_only({}) || !call->is_of_all_projects("The list of backups is")) return;
  call->read([call](storage::Reader& reader) {
    const auto last = reader.doc(backup_kind, last_backup);
    if (!last) return call->fail(last.error());
    const auto failed = reader.doc(backup_kind, failed_backup);
    if (!failed) return call->fail(failed.error());
    call->reply(200, backups_json(call->api.node(), *last, *failed));
  });
}

void make_backup(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  if (!call->is_of_all_projects("Making backups is")) return;
  call->api.node().make_backup(
      call->principal.who(), call->on_loop<Uuid>([call](const Result<Uuid>& id) {
        if (!id) return call->fail(id.error());
        call->reply(202, "{\"backup_id\":" + json_string(id->text()) + ",\"state\":\"running\"}");
      }));
}

}  // namespace quell::http::handlers
