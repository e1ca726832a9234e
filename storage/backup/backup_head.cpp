#include "storage/backup/backup_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell::storage {

using nlohmann::json;

namespace {

constexpr const char* format_name = "quell backup";

Error newer(const std::string& what) {
  return {ErrorCode::store_schema,
          "the backup was made by a newer program: it has " + what + ", unknown here"};
}

const BackupTable* table_named(const std::string& name, BackupTableId& id) {
  const auto tables = backup_tables();
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const BackupTable& table) { return table.name == name; });
  if (found == tables.end()) return nullptr;
  id = static_cast<BackupTableId>(found - tables.begin());
  return &*found;
}

Result<void> read_tables(const json& from, BackupHead& head) {
  for (const json& one : from) {
    const auto name = one.at("name").get<std::string>();
    BackupTableId id{};
    const BackupTable* table = table_named(name, id);
    if (table == nullptr) return newer("the table " + name);
    std::vector<std::string> columns;
    for (const json& column : one.at("columns")) {
      const auto column_name = column.at(0).get<std::string>();
      const auto known =
          std::find_if(table->columns.begin(), table->columns.end(),
                       [&](const BackupColumn& ours) { return ours.name == column_name; });
      if (known == table->columns.end())
        return newer(fmt::format("the column {}.{}", name, column_name));
      columns.push_back(column_name);
    }
    head.tables.emplace_back(id, std::move(columns));
  }
  return {};
}

}  // namespace

std::string head_text(const BackupHead& head) {
  json tables = json::array();
  for (const auto& [id, columns] : head.tables) {
    const BackupTable& table = backup_table(id);
    json list = json::array();
    for (const std::string& name : columns)
      list.push_back({name, type_name(table.columns[table.column(name)].type)});
    tables.push_back({{"name", table.name}, {"columns", list}});
  }
  json out{{"what", format_name},
           {"format", head.format},
           {"holds", head.deletions_only ? "deletions" : "everything"},
           {"id", head.id.text()},
           {"product", head.product},
           {"store", head.store},
           {"schema", head.schema},
           {"moment", head.moment.time_since_epoch().count()},
           {"secrets", head.secrets == BackupSecrets::wrapped ? "wrapped" : "left out"},
           {"tables", tables}};
  if (head.secrets == BackupSecrets::wrapped) {
    out["salt"] = head.salt;
    out["check"] = head.check;
  }
  return out.dump();
}

Result<BackupHead> head_of(const std::string& text) {
  BackupHead head;
  try {
    const json from = json_of_ours(text);
    if (!from.is_object() || from.at("what") != format_name)
      return Error{ErrorCode::store_corrupt, "the file has no header of a backup"};
    head.format = from.at("format").get<int>();
    if (head.format > BackupHead::format_now)
      return newer(fmt::format("the format {}", head.format));
    head.deletions_only = from.at("holds") == "deletions";
    head.id = Uuid::parse(from.at("id").get<std::string>()).value_or(Uuid{});
    head.product = from.at("product").get<std::string>();
    head.store = from.at("store").get<std::string>();
    head.schema = from.at("schema").get<int>();
    head.moment = Instant{Millis{from.at("moment").get<std::int64_t>()}};
    if (from.at("secrets") == "wrapped") {
      head.secrets = BackupSecrets::wrapped;
      head.salt = from.at("salt").get<std::string>();
      head.check = from.at("check").get<std::string>();
    }
    if (auto read = read_tables(from.at("tables"), head); !read) return read.error();
  } catch (const json::exception&) {
    return Error{ErrorCode::store_corrupt, "the header of the backup cannot be read"};
  }
  return head;
}

std::string sums_text(const TableSums& sums, std::int64_t ended) {
  json tables = json::array();
  for (std::size_t at = 0; at < sums.size(); ++at)
    tables.push_back(
        {{"name", backup_tables()[at].name}, {"rows", sums[at].rows}, {"sum", sums[at].text()}});
  return json{{"tables", tables}, {"ended", ended}}.dump();
}

bool sums_of(const std::string& text, TableSums& sums) {
  try {
    const json from = json_of_ours(text);
    if (!from.is_object()) return false;
    sums = no_sums();
    for (const json& one : from.at("tables")) {
      BackupTableId id{};
      if (table_named(one.at("name").get<std::string>(), id) == nullptr) return false;
      TableSum& sum = sums[static_cast<std::size_t>(id)];
      sum.rows = one.at("rows").get<std::uint64_t>();
      const auto hex = one.at("sum").get<std::string>();
      if (hex.size() != 32) return false;
      sum.high = std::stoull(hex.substr(0, 16), nullptr, 16);
      sum.low = std::stoull(hex.substr(16), nullptr, 16);
    }
    return true;
  } catch (const std::exception&) {  // of JSON, or of a number
    return false;
  }
}

}  // namespace quell::storage
