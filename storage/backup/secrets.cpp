#include "storage/backup/secrets.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/signing/passphrase_box.hpp"

namespace quell::storage {

namespace {

using nlohmann::json;

constexpr std::string_view known_text = "quell backup", known_name = "backup/check";
constexpr std::size_t salt_bytes = 16;

const std::string& cell_of(const BackupRow& doc, std::string_view column) {
  return doc[backup_table(BackupTableId::doc).column(column)].bytes;
}
std::string& body_of(BackupRow& doc) {
  return doc[backup_table(BackupTableId::doc).column("body")].bytes;
}

Result<void> rewrap_value(json& sealed, const std::string& name, const SecretBox& from,
                          const SecretBox& to) {
  const auto bytes = from_base64(sealed.get<std::string>());
  if (!bytes) return Error{ErrorCode::store_corrupt, "the sealed value of " + name};
  const auto text = from.open(*bytes, name);
  if (!text)
    return Error{ErrorCode::store_corrupt,
                 "the secret " + name + " does not open under this key: " + text.error().detail};
  sealed = base64(to.seal(*text, name));
  return {};
}

}  // namespace

Result<void> rewrap(BackupRow& doc, const SecretBox& from, const SecretBox& to) {
  const std::string &kind = cell_of(doc, "kind"), &id = cell_of(doc, "id");
  if (kind != "secret" && kind != "webhook") return {};
  try {
    json body = json_of_ours(cell_of(doc, "body"));
    if (kind == "secret") {
      if (auto done = rewrap_value(body.at("sealed"), id, from, to); !done) return done;
    } else {
      for (json& one : body.at("secrets"))
        if (auto done = rewrap_value(one.at("sealed"), "webhook/" + id, from, to); !done)
          return done;
    }
    body_of(doc) = body.dump(-1, ' ', false, json::error_handler_t::replace);
  } catch (const json::exception&) {
    return Error{ErrorCode::store_corrupt, "the document " + kind + " " + id + " cannot be read"};
  }
  return {};
}

bool leave_out_secret(BackupRow& doc) {
  const std::string& kind = cell_of(doc, "kind");
  if (kind == "secret") return false;
  if (kind != "webhook") return true;
  json body = json_of_ours(cell_of(doc, "body"));
  if (!body.is_object()) return false;
  body["secrets"] = json::array();
  body["enabled"] = false;
  body["disabled_because"] = "its secret was left out of the backup: rotate it, then enable it";
  body_of(doc) = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return true;
}

Result<SecretBox> new_wrapping(std::string_view passphrase, BackupHead& head) {
  std::array<std::uint8_t, salt_bytes> salt{};
  fill_random(salt);
  auto box = box_of_passphrase(passphrase, salt);
  if (!box) return box;
  head.secrets = BackupSecrets::wrapped;
  head.salt = hex(salt);
  head.check = base64(box->seal(known_text, known_name));
  return box;
}

Result<SecretBox> wrapping_of(const BackupHead& head, std::string_view passphrase) {
  const auto salt = from_hex(head.salt);
  const auto check = from_base64(head.check);
  if (!salt || !check)
    return Error{ErrorCode::store_corrupt, "what the backup says of its passphrase"};
  auto box = box_of_passphrase(passphrase, *salt);
  if (!box) return box;
  if (!box->open(*check, known_name))
    return Error{ErrorCode::usage, "this is not the passphrase of the backup"};
  return box;
}

}  // namespace quell::storage
