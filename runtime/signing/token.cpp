#include "runtime/signing/token.hpp"

#include <array>

#include "runtime/base/assert.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/hex.hpp"

namespace quell {

namespace {

struct ScopeRow {
  std::string_view wire;
  Role least_role;
  std::string_view sentence;
};

constexpr std::array scope_rows{
#define TOKEN_SCOPE(name, wire, least_role, sentence) ScopeRow{wire, Role::least_role, sentence},
#include "runtime/spec/scopes.def"
#undef TOKEN_SCOPE
};
static_assert(scope_rows.size() <= 63, "the set is kept in the 63 bits of a positive SQL integer");

constexpr std::array role_names{std::string_view{"viewer"}, std::string_view{"operator"},
                                std::string_view{"admin"}};

constexpr std::string_view token_prefix = "quell_";
constexpr std::size_t id_digits = 16;
constexpr std::size_t secret_digits = 64;

std::string random_hex(std::size_t digits) {
  Bytes bytes(digits / 2);
  fill_random(bytes);
  return hex(bytes);
}

}  // namespace

std::string_view to_string(Scope scope) {
  return scope_rows.at(static_cast<std::size_t>(scope)).wire;
}
std::string_view sentence(Scope scope) {
  return scope_rows.at(static_cast<std::size_t>(scope)).sentence;
}

std::optional<Scope> parse_scope(std::string_view text) {
  for (std::size_t at = 0; at < scope_rows.size(); ++at)
    if (scope_rows[at].wire == text) return static_cast<Scope>(at);
  return std::nullopt;
}

std::string_view to_string(Role role) {
  return role_names.at(static_cast<std::size_t>(role));
}

std::optional<Role> parse_role(std::string_view text) {
  for (std::size_t at = 0; at < role_names.size(); ++at)
    if (role_names[at] == text) return static_cast<Role>(at);
  return std::nullopt;
}

ScopeSet::ScopeSet(std::initializer_list<Scope> scopes) {
  for (const Scope scope : scopes) add(scope);
}

ScopeSet ScopeSet::of(Role role) {
  ScopeSet set;
  for (std::size_t at = 0; at < scope_rows.size(); ++at)
    if (role >= scope_rows[at].least_role) set.add(static_cast<Scope>(at));
  return set;
}

ScopeSet ScopeSet::all() {
  return of(Role::admin);
}

ScopeSet ScopeSet::from_bits(std::uint64_t bits) {
  ScopeSet set;
  set.bits_ = bits & all().bits_;
  return set;
}

ScopeSet& ScopeSet::drop(Scope scope) {
  bits_ &= ~bit(scope);
  return *this;
}

ScopeSet& ScopeSet::add(Scope scope) {
  bits_ |= bit(scope);
  return *this;
}

std::vector<Scope> ScopeSet::scopes() const {
  std::vector<Scope> list;
  for (std::size_t at = 0; at < scope_rows.size(); ++at)
    if (has(static_cast<Scope>(at))) list.push_back(static_cast<Scope>(at));
  return list;
}

std::string ScopeSet::text() const {
  std::string text;
  for (const Scope scope : scopes()) text.append(text.empty() ? "" : " ").append(to_string(scope));
  return text;
}

Result<ScopeSet> parse_scopes(std::string_view text) {
  ScopeSet set;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" ,"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (const auto scope = parse_scope(word))
      set.add(*scope);
    else if (const auto role = parse_role(word))
      set = ScopeSet::from_bits(set.bits() | ScopeSet::of(*role).bits());
    else
      return Error{ErrorCode::invalid_field,
                   "'" + std::string(word) + "' is neither a scope nor a role"};
  }
  if (set.empty())
    return Error{ErrorCode::invalid_field, "a token needs at least one scope or role"};
  return set;
}

Token Token::make() {
  return Token{random_hex(id_digits), random_hex(secret_digits)};
}

std::optional<Token> Token::parse(std::string_view text) {
  if (!text.starts_with(token_prefix)) return std::nullopt;
  text.remove_prefix(token_prefix.size());
  if (text.size() != id_digits + 1 + secret_digits || text[id_digits] != '_') return std::nullopt;
  const std::string_view id = text.substr(0, id_digits);
  const std::string_view secret = text.substr(id_digits + 1);
  if (!is_lower_hex(id) || !is_lower_hex(secret)) return std::nullopt;
  return Token{std::string(id), std::string(secret)};
}

std::string Token::text() const {
  return std::string(token_prefix) + id + "_" + secret;
}

Digest Token::hash() const {
  return sha256(text());
}

bool Token::matches(const Digest& stored) const {
  return equal_in_constant_time(hash(), stored);
}

}  // namespace quell
