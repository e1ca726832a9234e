// Who asks, and what may they do? Tokens are 256 random bits, kept only as a hash, and carry a set
// of scopes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/digest.hpp"
#include "runtime/base/result.hpp"

namespace quell {

enum class Scope : std::uint8_t {
#define TOKEN_SCOPE(name, wire, least_role, sentence) name,
#include "runtime/spec/scopes.def"
#undef TOKEN_SCOPE
};

enum class Role : std::uint8_t {
  viewer,
  operator_,
  admin
};  // each holds what the ones before it hold

std::string_view to_string(Scope scope);  // "jobs:delete"
std::string_view sentence(Scope scope);
std::optional<Scope> parse_scope(std::string_view text);
std::string_view to_string(Role role);  // "operator"
std::optional<Role> parse_role(std::string_view text);

class ScopeSet {
 public:
  ScopeSet() = default;
  ScopeSet(std::initializer_list<Scope> scopes);
  static ScopeSet of(Role role);
  static ScopeSet all();
  static ScopeSet from_bits(std::uint64_t bits);  // bits of scopes that are no more are dropped

  ScopeSet& add(Scope scope);
  ScopeSet& drop(Scope scope);
  bool has(Scope scope) const { return (bits_ & bit(scope)) != 0; }
  bool covers(const ScopeSet& other) const { return (other.bits_ & ~bits_) == 0; }
  bool empty() const { return bits_ == 0; }
  std::uint64_t bits() const { return bits_; }
  std::vector<Scope> scopes() const;
  // "jobs:read jobs:write"; the order of the table
  std::string text() const;
  bool operator==(const ScopeSet&) const = default;

 private:
  static std::uint64_t bit(Scope scope) { return std::uint64_t{1} << static_cast<unsigned>(scope); }
  std::uint64_t bits_ = 0;
};

// Scopes by their wire names and roles by theirs, separated by blanks or commas: "viewer
// jobs:delete".
Result<ScopeSet> parse_scopes(std::string_view text);

// quell_<id>_<secret>: the id finds the row, the secret's hash is compared. Both are lower-case
// hex, so that neither holds the separator.
struct Token {
  std::string id;      // 16 digits
  std::string secret;  // 64 digits: 256 bits

  static Token make();
  static std::optional<Token> parse(std::string_view text);
  std::string text() const;
  // What is stored. Of the whole text: the id is bound to the secret. No salt and no slow hash:
  // there is nothing to guess in 256 random bits.
  Digest hash() const;
  bool matches(const Digest& stored) const;  // in constant time
};

}  // namespace quell
