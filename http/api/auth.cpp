#include "http/api/auth.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"

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

namespace {

bool is_over(const TokenRecord& token, Instant now) {
  return token.expires && *token.expires <= now;
}

// Of all projects: one project's can let nobody into the others.
bool is_admin(const TokenRecord& token) {
  return token.role == "admin" && token.project.empty();
}

}  // namespace

ScopeSet scopes_of(Role role, const std::string& project) {
  ScopeSet scopes = ScopeSet::of(role);
  if (!project.empty()) scopes.drop(Scope::jobs_exec);
  return scopes;
}

std::string to_json(const TokenRecord& token) {
  json out = {{"name", token.name},       {"hash", base64(token.hash)},
              {"role", token.role},       {"scopes", token.scopes.text()},
              {"project", token.project}, {"created", token.created.time_since_epoch().count()}};
  if (token.expires) out["expires"] = token.expires->time_since_epoch().count();
  if (token.last_used) out["last_used"] = token.last_used->time_since_epoch().count();
  return out.dump();
}

std::optional<TokenRecord> token_from_json(const std::string& id, const std::string& text) {
  const json in = json_of_ours(text);
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
    token.scopes = scopes_of(*role, token.project);
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
  if (is_over(token, now)) return std::nullopt;
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
  leaving_.erase(id);
  ++changes_;
}

bool Auth::has_other_admin(Instant now, const std::string& but) const {
  return std::any_of(tokens_.begin(), tokens_.end(), [&](const auto& entry) {
    const TokenRecord& token = entry.second;
    return is_admin(token) && !is_over(token, now) && token.id != but &&
           leaving_.count(token.id) == 0;
  });
}

bool Auth::has_admin(Instant now, const std::string& but) const {
  const std::lock_guard lock(mutex_);
  return has_other_admin(now, but);
}

bool Auth::is_valid(const std::string& token_id, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token_id);
  return found != tokens_.end() && !is_over(found->second, now);
}

bool Auth::begin_revoking(const std::string& token_id, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token_id);
  if (found == tokens_.end()) return true;
  const bool matters = is_admin(found->second) && !is_over(found->second, now);
  if (matters && !has_other_admin(now, token_id)) return false;
  leaving_.insert(token_id);
  return true;
}

void Auth::give_up_revoking(const std::string& token_id) {
  const std::lock_guard lock(mutex_);
  leaving_.erase(token_id);
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
