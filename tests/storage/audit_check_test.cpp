// The check of the audit log beside a sealer at work: nobody is accused of what nobody did.
#include "storage/audit_check.hpp"

#include <gtest/gtest.h>

#include "storage/audit_entry.hpp"
#include "storage/memory/memory_store.hpp"

namespace quell::storage {
namespace {

class AuditCheckBesideASealer : public testing::Test {
 protected:
  AuditCheckBesideASealer() {
    OpenOptions options;
    options.unsafe = true;
    store_ = std::move(open_memory(options)).value();
    writer_ = std::move(store_->open_writer()).value();
    reader_ = std::move(store_->open_reader()).value();
    Batch batch;
    for (int i = 0; i < 2'500; ++i) batch.audits.push_back({Instant{}, "ann", "act", "r", "{}"});
    EXPECT_TRUE(writer_->apply(batch).ok());
  }

  // All rows up to this one.
  void seal_up_to(std::int64_t last) {
    const auto head = std::move(reader_->audit_head()).value();
    AuditHead from;
    if (head) from = {head->no, *digest_of_hex(head->hash)};
    std::vector<AuditEntry> entries;
    const auto rows = std::move(reader_->audit(from.no, 10'000)).value();
    for (const AuditRow& row : rows)
      if (row.no <= last) entries.push_back(entry_of(row));
    const std::vector<Digest> hashes = seal(from, entries);
    Batch batch;
    SealOp& op = batch.seals.emplace_back();
    op.after = from.no;
    for (std::size_t i = 0; i < entries.size(); ++i)
      op.hashes.emplace_back(entries[i].no, hex(hashes[i]));
    ASSERT_TRUE(writer_->apply(batch)->seals.at(0));
  }

  // Check while the log is sealed up to `meanwhile` behind the first page.
  AuditCheck check(std::int64_t meanwhile, const std::vector<AuditHead>& known = {}) {
    const auto head = std::move(reader_->audit_head()).value();
    const AuditPages pages = [&](std::int64_t after, int limit) {
      if (after > 0 && after <= 1'000) seal_up_to(meanwhile);
      return reader_->audit(after, limit);
    };
    return std::move(check_audit(pages, head ? head->no : 0, known)).value();
  }

  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
};

TEST_F(AuditCheckBesideASealer, RowsSealedBetweenTwoPagesAreYoungAndNotWrong) {
  seal_up_to(700);
  const AuditHead known{700, *digest_of_hex(std::move(reader_->audit_head()).value()->hash)};
  const AuditCheck beside = check(1'800, {known});
  EXPECT_FALSE(beside.fault.has_value()) << to_string(*beside.fault) << " " << beside.fault_no;
  EXPECT_EQ(beside.sealed, 700);
  EXPECT_EQ(beside.waiting, 1'800);
  const AuditCheck after = std::move(check_audit(*reader_)).value();
  EXPECT_FALSE(after.fault.has_value());
  EXPECT_EQ(after.sealed, 1'800);
}

TEST_F(AuditCheckBesideASealer, AHeadThatIsMissingIsStillFound) {
  seal_up_to(700);
  EXPECT_EQ(check(1'800, {AuditHead{701, Digest{}}}).fault, AuditFault::tail_cut);
}

}  // namespace
}  // namespace quell::storage
