#include <gtest/gtest.h>

#include <map>

#include "tests/house/tree.hpp"

namespace quell::house {
namespace {

std::size_t height(const std::string& layer) {
  return static_cast<std::size_t>(std::find(layers().begin(), layers().end(), layer) -
                                  layers().begin());
}

TEST(Layers, IncludeOnlyDownwards) {
  std::size_t read = 0;
  for (const auto& source : sources_of(layers())) {
    for (const auto& include : source.includes()) {
      const auto target = include.substr(0, include.find('/'));
      EXPECT_NE(target, "tests") << source.path;
      if (height(target) == layers().size()) continue;
      ++read;
      EXPECT_LE(height(target), height(source.layer())) << source.path << " includes " << include;
    }
  }
  EXPECT_GT(read, 20U) << "the reader of includes finds nothing";
}

TEST(Layers, SpellEveryIncludeFromTheRoot) {
  for (const auto& source : all_sources())
    for (const auto& include : source.includes())
      EXPECT_NE(include.substr(0, 2), "..") << source.path;
}

// A library's headers may be read only where the table says.
TEST(Layers, KeepEachLibraryInItsPlace) {
  const std::map<std::string, std::set<std::string>> homes = {
      {"caf/", {"actors"}},
      {"curl/", {"actors"}},
      {"ares.h", {"actors"}},
      {"boost/beast", {"http"}},
      {"CLI/", {"http"}},
      {"boost/asio", {"actors", "http"}},
      {"sqlite3.h", {"storage"}},
      {"pqxx/", {"storage"}},
      {"libpq-fe.h", {"storage"}},
      {"zstd.h", {"storage"}},
      {"thread", {"storage", "actors", "http"}},
      {"sys/socket.h", {"actors", "http"}},
  };
  for (const auto& source : sources_of(layers())) {
    for (const auto& include : source.includes()) {
      for (const auto& [library, its_layers] : homes) {
        const bool is_file = library.ends_with(".h") || library == "thread";
        if (is_file ? include != library : !include.starts_with(library)) continue;
        EXPECT_TRUE(its_layers.contains(source.layer())) << source.path << " includes " << include;
      }
    }
  }
}

// What http sees of actors must compile for an embedder who has neither CAF nor libcurl nor Asio.
TEST(Layers, HideTheMachineryOfActorsFromHttp) {
  std::map<std::string, Source> by_path;
  for (auto& source : sources_of(layers())) by_path.emplace(source.path, source);
  std::vector<std::string> open = {"actors/node.hpp", "actors/delete_report.hpp"};
  for (const auto& [path, source] : by_path)
    if (source.layer() == "http")
      for (const auto& include : source.includes())
        if (include.starts_with("actors/")) open.push_back(include);
  std::set<std::string> seen;
  while (!open.empty()) {
    const auto path = open.back();
    open.pop_back();
    const auto found = by_path.find(path);
    if (found == by_path.end() || !seen.insert(path).second) continue;
    for (const auto& include : found->second.includes()) {
      for (const char* hidden : {"caf/", "curl/", "boost/", "spdlog/", "ares.h"})
        EXPECT_FALSE(include.starts_with(hidden)) << path << " shows " << include << " to http";
      open.push_back(include);
    }
  }
  EXPECT_GT(seen.size(), 4U);
}

TEST(Layers, KeepSqlInStorage) {
  const std::regex sql(
      R"re("\s*(SELECT\s|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE))re");
  for (const auto& source : sources_of({"runtime", "actors", "http"})) {
    if (source.path.starts_with("runtime/spec/")) continue;  // emits the laws
    EXPECT_FALSE(std::regex_search(source.text, sql)) << source.path;
  }
}

}  // namespace
}  // namespace quell::house
