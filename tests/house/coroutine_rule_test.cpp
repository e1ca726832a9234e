#include <gtest/gtest.h>

#include "tests/house/tree.hpp"

namespace quell::house {
namespace {

TEST(CoroutineRule, LetsNamesLiteralsAndConstructorCallsThrough) {
  for (const char* good : {
           "void f() { auto page = co_await job.http(HttpRequest(url).timeout(20s)); }",
           "void f() { co_await std::move(later); }",
           "void f() { auto r = co_await job.step(\"a?{b\", [&] { return g({1, 2}); }); }",
           "void f() { if (co_await ready()) { x = a ? b : c; } }",
           "void f() { while (!co_await done()) { y{1}; } }",
           "void f() { use(a[i], co_await g(b[2])); }",
           "void f() { const char* note = \"co_await {?\"; }  // co_await {x}",
           "void f() { auto t = g({1}); co_await t; }",
       })
    EXPECT_EQ(coroutine_fault(good), "") << good;
}

TEST(CoroutineRule, NamesEveryFormThatTheCompilerDestroysTwice) {
  for (const char* bad : {
           "void f() { co_await g({.n = 1, .s = name}); }",
           "void f() { co_await g(Options{a, b}); }",
           "void f() { co_await g(c ? a() : b()); }",
           "void f() { auto x = c ? co_await a() : co_await b(); }",
           "void f() { co_await run([name] { return name; }); }",
           "void f() { co_await run([n = 1, &m]() -> Task { co_return; }); }",
           "void f() { Options o{N(1), co_await g()}; }",
           "void f() { co_await g(std::vector<N>{a, b}); }",
           "void f() { if (co_await g(Options{a})) { h(); } }",
       })
    EXPECT_NE(coroutine_fault(bad), "") << bad;
}

}  // namespace
}  // namespace quell::house
