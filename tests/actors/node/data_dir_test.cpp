#include "actors/node/data_dir.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace quell {
namespace {

class DataDirTest : public testing::Test {
 protected:
  DataDirTest() {
    std::string name = (std::filesystem::temp_directory_path() / "quell-dir-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  ~DataDirTest() override { std::filesystem::remove_all(root_); }

  std::string path(const std::string& name) const { return (root_ / name).string(); }
  Births begin(const std::string& name) {
    auto dir = DataDir::open(path(name));
    EXPECT_TRUE(dir.ok());
    auto births = dir->begin_birth(ids_);
    EXPECT_TRUE(births.ok());
    return births.ok() ? *births : Births{};
  }

  std::filesystem::path root_;
  IdSource ids_{system_clock()};
};

TEST_F(DataDirTest, KnowsItsEarlierStartsUntilOneIsKept) {
  const Births first = begin("one");
  EXPECT_TRUE(first.earlier.empty());
  const Births second = begin("one");
  EXPECT_EQ(second.earlier, std::vector{first.current});
  EXPECT_NE(second.current, first.current);
  // The second start may have ended before anybody heard of it.
  const Births third = begin("one");
  EXPECT_EQ(third.earlier, (std::vector{first.current, second.current}));
  ASSERT_TRUE(DataDir::open(path("one"))->keep_only(third.current).ok());
  EXPECT_EQ(begin("one").earlier, std::vector{third.current});
}

TEST_F(DataDirTest, ACopyHasNoEarlierStarts) {
  const Births first = begin("one");
  std::filesystem::copy(path("one"), path("two"), std::filesystem::copy_options::recursive);
  EXPECT_TRUE(begin("two").earlier.empty());
  EXPECT_EQ(begin("one").earlier, std::vector{first.current});
}

TEST_F(DataDirTest, AMovedOneIsStillItself) {
  const Births first = begin("one");
  std::filesystem::rename(path("one"), path("two"));
  EXPECT_EQ(begin("two").earlier, std::vector{first.current}) << "the same lock, on the same host";
}

}  // namespace
}  // namespace quell
