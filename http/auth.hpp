// Who is asking. Tokens are 256 random bits, kept only as a hash, compared in constant time, and
// held in memory so that no request waits for the store to be let in.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/token.hpp"
#include "storage/reader.hpp"

namespace quell::http {

// A token as it is stored (document kind `token`, id as in the token's text).
struct TokenRecord {
  std::string id, name;
  Digest hash{};
  std::string role;  // "" when the scopes were chosen one by one
  ScopeSet scopes;
  std::string project;  // "" = every project
  Instant created;
  std::optional<Instant> expires = {};
  std::optional<Instant> last_used = {};
  std::int64_t version = 0;  // of the stored document; 0: not read back yet
};

std::string to_json(const TokenRecord& token);
std::optional<TokenRecord> token_from_json(const std::string& id, const std::string& text);

struct Principal {
  std::string token_id, name;
  ScopeSet scopes;
  std::string project;  // "" = every project
  bool is_session = false;

  std::string who() const { return "token:" + name; }
};

struct NewToken {
  TokenRecord record;
  std::string text;  // shown once
};
NewToken make_token(std::string name, std::string role, ScopeSet scopes, std::string project,
                    Instant now);

class Auth {
 public:
  // `credentials` is what follows "Bearer ".
  std::optional<Principal> check(std::string_view credentials, Instant now);
  // Who a token stands for, without its text: for sessions, which end with their token.
  std::optional<Principal> holder(const std::string& token_id, Instant now);
  // What the store says now; ignored when a token was put or removed since `seen` was taken,
  // because then the reading may be older than that.
  void replace(const std::vector<storage::Doc>& docs, std::uint64_t seen);
  std::uint64_t changes() const;
  void put(const TokenRecord& token);
  void remove(const std::string& id);
  bool has_admin() const;
  std::vector<TokenRecord> all() const;
  // Tokens whose stored `last_used` is older than a minute, brought up to date.
  std::vector<TokenRecord> take_uses();

 private:
  std::optional<Principal> admit(const TokenRecord& token, Instant now);  // under mutex_

  mutable std::mutex mutex_;
  std::map<std::string, TokenRecord, std::less<>> tokens_;
  std::map<std::string, Instant, std::less<>> uses_;
  std::uint64_t changes_ = 0;
};

}  // namespace quell::http
