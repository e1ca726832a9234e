#include "actors/effects/secret_registry.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/outbound/secret_place.hpp"

namespace quell {

using nlohmann::json;

namespace {

bool covers(const std::string& place, const OutboundUrl& url) {
  const auto read = SecretPlace::parse(place);
  return read && read->covers(url.host, url.port, url.tls);
}

}  // namespace

storage::DocOp SecretRegistry::sealed(const SecretSetting& secret) const {
  const std::string id = id_of(secret.project, secret.name);
  const json body{{"name", secret.name},
                  {"hosts", secret.hosts},
                  {"sealed", base64(box_.seal(secret.value, id))}};
  return {.kind = "secret", .id = id, .project = secret.project, .body = body.dump()};
}

storage::DocOp SecretRegistry::removal(const std::string& project, const std::string& name) {
  return {.kind = "secret", .id = id_of(project, name), .project = project, .body = std::nullopt};
}

Result<void> SecretRegistry::load(storage::Reader& reader) {
  auto docs = reader.docs("secret", "");
  if (!docs) return docs.error();
  std::map<std::string, SecretSetting> fresh;
  for (const storage::Doc& doc : *docs) {
    const json body = json_of_ours(doc.body);
    QUELL_ASSERT(body.is_object());
    const auto sealed = from_base64(body.at("sealed").get<std::string>());
    if (!sealed)
      return Error{ErrorCode::store_corrupt, "the sealed secret " + doc.id + " is not base64"};
    auto value = box_.open(*sealed, doc.id);
    if (!value) return value.error();
    fresh[doc.id] = {body.at("name").get<std::string>(), doc.project,
                     body.at("hosts").get<std::vector<std::string>>(), std::move(value).value()};
  }
  const std::lock_guard lock(mutex_);
  secrets_.swap(fresh);
  return {};
}

void SecretRegistry::put(SecretSetting secret) {
  const std::lock_guard lock(mutex_);
  secrets_[id_of(secret.project, secret.name)] = std::move(secret);
}

void SecretRegistry::remove(const std::string& project, const std::string& name) {
  const std::lock_guard lock(mutex_);
  secrets_.erase(id_of(project, name));
}

std::vector<SecretView> SecretRegistry::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<SecretView> views;
  for (const auto& [id, secret] : secrets_)
    views.push_back({secret.name, secret.project, secret.hosts});
  return views;
}

Result<std::string> SecretRegistry::find(const std::string& name, const std::string& project,
                                         const OutboundUrl& url) const {
  const std::lock_guard lock(mutex_);
  const auto at = secrets_.find(id_of(project, name));
  if (at == secrets_.end())
    return Error{ErrorCode::resource_not_found,
                 "the project " + project + " has no secret named " + name};
  const auto& hosts = at->second.hosts;
  if (std::none_of(hosts.begin(), hosts.end(),
                   [&](const std::string& place) { return covers(place, url); }))
    return Error{ErrorCode::forbidden, "the secret " + name + " may not be sent to " +
                                           (url.tls ? "https://" : "http://") + url.host + ":" +
                                           std::to_string(url.port)};
  return at->second.value;
}

}  // namespace quell
