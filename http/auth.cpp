#include "http/auth.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base64.hpp"

namespace quell::http {

using nlohmann::json;

namespace {

std::optional<Digest> digest_from(const std::string& text) {
  const auto bytes = from_base64(text);
  Digest digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

}  // namespace

std::string to_json(const TokenRecord& token) {
  json out = {{"name", token.name},       {"hash", base64(token.hash)},
              {"role", token.role},       {"scopes", token.scopes.text()},
              {"project", token.project}, {"created", token.created.time_since_epoch().count()}};
  if (token.expires) out["expires"] = token.expires->time_since_epoch().count();
  if (token.last_used) out["last_used"] = token.last_used->time_since_epoch().count();
  return out.dump();
}

std::optional<TokenRecord> token_from_json(const std::string& id, const std::string& text) {
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object()) return std::nullopt;
  TokenRecord token;
  token.id = id;
  token.name = in.value("name", std::string{});
  const std::optional<Digest> hash = digest_from(in.value("hash", std::string{}));
  if (!hash) return std::nullopt;
  token.hash = *hash;
  token.role = in.value("role", std::string{});
  token.project = in.value("project", std::string{});
  token.created = Instant{Millis{in.value("created", std::int64_t{0})}};
  if (in.contains("expires")) token.expires = Instant{Millis{in["expires"].get<std::int64_t>()}};
  if (in.contains("last_used"))
    token.last_used = Instant{Millis{in["last_used"].get<std::int64_t>()}};
  // A role means what it means today, so that a new scope reaches the tokens made before it.
  if (const auto role = parse_role(token.role)) {
    token.scopes = ScopeSet::of(*role);
  } else if (const auto scopes = parse_scopes(in.value("scopes", std::string{}))) {
    token.scopes = scopes.value();
  }
  return token;
}

NewToken make_token(std::string name, std::string role, ScopeSet scopes, std::string project,
                    Instant now) {
  const Token token = Token::make();
  NewToken made;
  made.text = token.text();
  made.record.id = token.id;
  made.record.name = std::move(name);
  made.record.hash = token.hash();
  made.record.role = std::move(role);
  made.record.scopes = scopes;
  made.record.project = std::move(project);
  made.record.created = now;
  return made;
}

std::optional<Principal> Auth::check(std::string_view credentials, Instant now) {
  const std::optional<Token> given = Token::parse(credentials);
  if (!given) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(given->id);
  if (found == tokens_.end() || !given->matches(found->second.hash)) return std::nullopt;
  return admit(found->second, now);
}

std::optional<Principal> Auth::holder(const std::string& token_id, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token_id);
  if (found == tokens_.end()) return std::nullopt;
  std::optional<Principal> who = admit(found->second, now);
  if (who) who->is_session = true;
  return who;
}

std::optional<Principal> Auth::admit(const TokenRecord& token, Instant now) {
  if (token.expires && *token.expires <= now) return std::nullopt;
  uses_[token.id] = now;
  return Principal{token.id, token.name, token.scopes, token.project};
}

std::uint64_t Auth::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

void Auth::replace(const std::vector<storage::Doc>& docs, std::uint64_t seen) {
  std::map<std::string, TokenRecord, std::less<>> fresh;
  for (const storage::Doc& doc : docs)
    if (auto token = token_from_json(doc.id, doc.body)) {
      token->version = doc.version;
      fresh.emplace(doc.id, std::move(*token));
    }
  const std::lock_guard lock(mutex_);
  if (seen == changes_) tokens_ = std::move(fresh);
}

void Auth::put(const TokenRecord& token) {
  const std::lock_guard lock(mutex_);
  tokens_[token.id] = token;
  ++changes_;
}

void Auth::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  tokens_.erase(id);
  ++changes_;
}

bool Auth::has_admin() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(tokens_.begin(), tokens_.end(),
                     [](const auto& entry) { return entry.second.role == "admin"; });
}

std::vector<TokenRecord> Auth::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<TokenRecord> all;
  for (const auto& [id, token] : tokens_) all.push_back(token);
  return all;
}

std::vector<TokenRecord> Auth::take_uses() {
  const std::lock_guard lock(mutex_);
  std::vector<TokenRecord> used;
  for (const auto& [id, at] : uses_) {
    const auto found = tokens_.find(id);
    if (found == tokens_.end() || found->second.version == 0) continue;
    std::optional<Instant>& last = found->second.last_used;
    if (last && at < *last + std::chrono::minutes{1}) continue;
    last = at;
    used.push_back(found->second);
  }
  uses_.clear();
  return used;
}

}  // namespace quell::http
