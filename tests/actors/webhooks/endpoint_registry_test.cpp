// What a node keeps on disk and in memory beside its store: the directory's lock, the secrets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "actors/effects/secret_registry.hpp"
#include "actors/node/data_dir.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/actors/effects/keeper_of_tests.hpp"

namespace quell {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DataDir, HasOneOwnerAndNamesHim) {
  const TestFolder folder;
  const std::string path = (folder.path() / "own").string();
  {
    auto first = DataDir::open(path);
    ASSERT_TRUE(first.ok());
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    auto second = DataDir::open(path);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::store_locked);
    EXPECT_THAT(second.error().detail, HasSubstr(std::to_string(::getpid())));
  }
  EXPECT_TRUE(DataDir::open(path).ok()) << "free again";
}

TEST(DataDir, KeepsTheNodesIdOverLives) {
  const TestFolder folder;
  IdSource ids(system_clock());
  NodeId first;
  {
    auto dir = DataDir::open(folder.path().string());
    ASSERT_TRUE(dir.ok());
    first = std::move(dir->node_id(ids)).value();
    EXPECT_EQ(std::move(dir->node_id(ids)).value(), first);
  }
  auto dir = DataDir::open(folder.path().string());
  ASSERT_TRUE(dir.ok());
  EXPECT_EQ(std::move(dir->node_id(ids)).value(), first);
}

SecretBox::Key key_of(std::uint8_t byte) {
  SecretBox::Key key{};
  key.fill(byte);
  return key;
}

class SecretRegistryTest : public testing::Test {
 protected:
  static OutboundUrl to(const std::string& host) {
    return read_outbound_url("https://" + host + "/").value();
  }
  SecretRegistry registry_{SecretBox(key_of(1))};
  const SecretSetting secret_{"llm", "default", {"api.example.com", "*.example.org"}, "s3cret"};
};

TEST_F(SecretRegistryTest, GivesASecretToItsHostsAndItsProjectOnly) {
  registry_.put(secret_);
  EXPECT_EQ(*registry_.find("llm", "default", to("api.example.com")), "s3cret");
  EXPECT_EQ(*registry_.find("llm", "default", to("a.b.example.org")), "s3cret");
  EXPECT_EQ(registry_.find("llm", "default", to("example.org")).error().code, ErrorCode::forbidden);
  EXPECT_EQ(registry_.find("llm", "default", to("evilexample.org")).error().code,
            ErrorCode::forbidden);
  EXPECT_EQ(registry_.find("llm", "default", to("api.example.com.evil.net")).error().code,
            ErrorCode::forbidden);
  EXPECT_EQ(registry_.find("llm", "other", to("api.example.com")).error().code,
            ErrorCode::resource_not_found);
  const auto plain = read_outbound_url("http://api.example.com:443/").value();
  EXPECT_EQ(registry_.find("llm", "default", plain).error().code, ErrorCode::forbidden);
  registry_.remove("default", "llm");
  EXPECT_FALSE(registry_.find("llm", "default", to("api.example.com")).ok());
}

TEST_F(SecretRegistryTest, StoresNothingThatCanBeReadAndOpensItWithItsKeyOnly) {
  const storage::DocOp doc = registry_.sealed(secret_);
  EXPECT_THAT(*doc.body, Not(HasSubstr("s3cret")));
  storage::OpenOptions options;
  options.unsafe = true;
  auto store = std::move(storage::open_memory(options)).value();
  storage::Batch batch;
  batch.docs.push_back(doc);
  ASSERT_TRUE(std::move(store->open_writer()).value()->apply(batch).ok());
  auto reader = std::move(store->open_reader()).value();
  SecretRegistry same{SecretBox(key_of(1))}, stranger{SecretBox(key_of(2))};
  ASSERT_TRUE(same.load(*reader).ok());
  EXPECT_EQ(*same.find("llm", "default", to("api.example.com")), "s3cret");
  EXPECT_FALSE(stranger.load(*reader).ok());
}

}  // namespace
}  // namespace quell
