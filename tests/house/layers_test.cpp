#include <gtest/gtest.h>

#include <map>

#include "tests/house/tree.hpp"

namespace quell::house {
namespace {

// What http sees of actors must compile for an embedder who has neither CAF nor libcurl nor Asio.
TEST(Layers, HideTheirMachineryFromHttpAndFromEmbedders) {
  std::map<std::string, Source> by_path;
  for (auto& source : sources_of(layers())) by_path.emplace(source.path, source);
  std::vector<std::string> open = {"actors/node/node.hpp", "actors/deletes/delete_report.hpp"};
  for (const auto& [path, source] : by_path) {  // these are installed
    const bool on_top = std::count(path.begin(), path.end(), '/') == 1;
    if (source.is_header() &&
        (source.layer() == "runtime" || (source.layer() == "storage" && on_top)))
      open.push_back(path);
  }
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
      for (const char* hidden :
           {"caf/", "curl/", "boost/", "spdlog/", "ares.h", "sqlite3.h", "pqxx/"})
        EXPECT_FALSE(include.starts_with(hidden))
            << path << " shows " << include << " to the outside";
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
