#include "runtime/signing/token.hpp"

#include <gtest/gtest.h>

#include <set>

#include "runtime/base/base64.hpp"
#include "runtime/base/hex.hpp"

namespace quell {
namespace {

TEST(Token, SurvivesTheRoundTripThroughText) {
  const Token token = Token::make();
  const std::string text = token.text();
  EXPECT_EQ(text.size(), 6u + 16 + 1 + 64);
  EXPECT_TRUE(text.starts_with("quell_"));
  const auto parsed = Token::parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, token.id);
  EXPECT_EQ(parsed->secret, token.secret);
}

TEST(Token, IsNeverMadeTwice) {
  std::set<std::string> ids, secrets;
  for (int i = 0; i < 1'000; ++i) {
    const Token token = Token::make();
    EXPECT_TRUE(ids.insert(token.id).second);
    EXPECT_TRUE(secrets.insert(token.secret).second);
  }
}

TEST(Token, MatchesOnlyTheHashOfItsWholeText) {
  const Token token = Token::make();
  EXPECT_TRUE(token.matches(token.hash()));
  EXPECT_FALSE(token.matches(Token::make().hash()));
  Token other_id = token;
  other_id.id = Token::make().id;
  EXPECT_FALSE(other_id.matches(token.hash()));
  Token other_secret = token;
  other_secret.secret.back() = other_secret.secret.back() == '0' ? '1' : '0';
  EXPECT_FALSE(other_secret.matches(token.hash()));
  EXPECT_EQ(hex(token.hash()).find(token.secret), std::string::npos);
}

TEST(Token, RefusesEveryOtherText) {
  const std::string good = Token::make().text();
  EXPECT_FALSE(Token::parse(""));
  EXPECT_FALSE(Token::parse("quell_"));
  EXPECT_FALSE(Token::parse(good + "0"));
  EXPECT_FALSE(Token::parse(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(Token::parse(" " + good));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = 'X';
    EXPECT_FALSE(Token::parse(bad)) << at;
  }
}

TEST(Scope, EachHasAUniqueNameAndASentence) {
  std::set<std::string_view> names;
  for (const Scope scope : ScopeSet::all().scopes()) {
    EXPECT_TRUE(names.insert(to_string(scope)).second);
    EXPECT_EQ(parse_scope(to_string(scope)), scope);
    EXPECT_FALSE(sentence(scope).empty());
  }
  EXPECT_FALSE(parse_scope("jobs:everything"));
}

TEST(Role, EachHoldsWhatTheOneBelowHolds) {
  const ScopeSet viewer = ScopeSet::of(Role::viewer);
  const ScopeSet operator_ = ScopeSet::of(Role::operator_);
  const ScopeSet admin = ScopeSet::of(Role::admin);
  EXPECT_TRUE(operator_.covers(viewer) && admin.covers(operator_));
  EXPECT_FALSE(viewer.covers(operator_) || operator_.covers(admin));
  for (const Scope scope : viewer.scopes())
    EXPECT_TRUE(to_string(scope).ends_with(":read")) << to_string(scope);
  EXPECT_TRUE(operator_.has(Scope::jobs_write));
  for (const char* role : {"viewer", "operator", "admin"})
    EXPECT_EQ(to_string(*parse_role(role)), role);
  EXPECT_FALSE(parse_role("root"));
}

TEST(Role, OnlyAdminsDeleteForceAndRunPrograms) {
  for (const Scope scope : {Scope::jobs_delete, Scope::jobs_delete_filter, Scope::jobs_delete_force,
                            Scope::jobs_exec, Scope::tokens_write}) {
    EXPECT_TRUE(ScopeSet::of(Role::admin).has(scope));
    EXPECT_FALSE(ScopeSet::of(Role::operator_).has(scope));
    EXPECT_FALSE(ScopeSet::of(Role::viewer).has(scope));
  }
}

TEST(ScopeSet, SurvivesBitsAndText) {
  const ScopeSet set{Scope::jobs_read, Scope::jobs_delete};
  EXPECT_EQ(ScopeSet::from_bits(set.bits()), set);
  EXPECT_EQ(set.text(), "jobs:read jobs:delete");
  EXPECT_EQ(*parse_scopes(set.text()), set);
  EXPECT_EQ(*parse_scopes(" jobs:read,jobs:delete "), set);
  EXPECT_EQ(ScopeSet::from_bits(~std::uint64_t{0}), ScopeSet::all());
  EXPECT_TRUE(ScopeSet{}.empty());
}

TEST(ScopeSet, ARoleAndAScopeMakeATokenForOnePurpose) {
  const ScopeSet set = *parse_scopes("operator jobs:delete");
  EXPECT_TRUE(set.has(Scope::jobs_delete));
  EXPECT_TRUE(set.has(Scope::jobs_write));
  EXPECT_FALSE(set.has(Scope::jobs_delete_force));
}

TEST(ScopeSet, UnknownWordsAndNothingAreRefused) {
  EXPECT_FALSE(parse_scopes(""));
  EXPECT_FALSE(parse_scopes(" , "));
  EXPECT_FALSE(parse_scopes("jobs:read root"));
  EXPECT_FALSE(parse_scopes("JOBS:READ"));
}

}  // namespace
}  // namespace quell
