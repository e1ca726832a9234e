#include "runtime/signing/audit_chain.hpp"

#include <gtest/gtest.h>

#include "runtime/base/base64.hpp"
#include "runtime/base/hex.hpp"
#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

struct Row {
  AuditEntry entry;
  std::optional<Digest> hash;
};

std::vector<Row> chain(int size, int unsealed = 0) {
  std::vector<AuditEntry> entries;
  for (int no = 1; no <= size; ++no) {
    AuditEntry entry;
    entry.no = no + (no > 5 ? 2 : 0);  // a transaction failed and took two numbers with it
    entry.at = Instant{Millis{1'700'000'000'000 + no}};
    entry.who = "ada";
    entry.what = "job.delete";
    entry.ref = "ref-" + std::to_string(no);
    entry.details = "{\"n\":" + std::to_string(no) + "}";
    entries.push_back(entry);
  }
  const std::vector<Digest> hashes = seal({}, entries);
  std::vector<Row> rows;
  for (std::size_t at = 0; at < entries.size(); ++at) {
    rows.push_back({entries[at], hashes[at]});
    if (at + static_cast<std::size_t>(unsealed) >= entries.size()) rows.back().hash.reset();
  }
  return rows;
}

AuditCheck verify(const std::vector<Row>& rows, std::vector<AuditHead> known = {}) {
  AuditVerifier verifier({}, std::move(known));
  for (const Row& row : rows) verifier.add(row.entry, row.hash);
  return verifier.finish();
}

AuditHead head_at(const std::vector<Row>& rows, std::size_t at) {
  return {rows[at].entry.no, rows[at].hash.value()};
}

// Reseals rows from `at` on, as somebody with the database and this code would.
void reseal(std::vector<Row>& rows, std::size_t at) {
  AuditHead head = at == 0 ? AuditHead{} : head_at(rows, at - 1);
  for (; at < rows.size(); ++at) {
    head = advance(head, rows[at].entry.no, digest_of(rows[at].entry));
    rows[at].hash = head.hash;
  }
}

TEST(AuditChain, AnUntouchedChainHolds) {
  const auto rows = chain(20, 3);
  const AuditCheck check = verify(rows, {head_at(rows, 7), head_at(rows, 16), AuditHead{}});
  EXPECT_FALSE(check.fault);
  EXPECT_EQ(check.sealed, 17);
  EXPECT_EQ(check.waiting, 3);
  EXPECT_EQ(check.head, head_at(rows, 16));
  EXPECT_FALSE(verify({}).fault);
}

TEST(AuditChain, TheFormIsFrozen) {
  // Also computed by a second program from the description in the header. A changed form would
  // break every chain in the field: this value may only change with a new version line.
  EXPECT_EQ(hex(chain(3).back().hash.value()),
            "745ef35c41ac4211d479a56e38e20bc2cc4a5871b0e5b333b355315d99e2a869");
}

TEST(AuditChain, SealingInPiecesGivesTheSameChain) {
  const auto whole = chain(10);
  std::vector<AuditEntry> first, second;
  for (std::size_t at = 0; at < whole.size(); ++at)
    (at < 4 ? first : second).push_back(whole[at].entry);
  const AuditHead middle{whole[3].entry.no, seal({}, first).back()};
  EXPECT_EQ(seal(middle, second).back(), whole.back().hash);
}

TEST(AuditChain, TheFirstChangedRowIsFoundWhateverWasChanged) {
  for (std::size_t at = 0; at < 12; ++at)
    for (int field = 0; field < 6; ++field) {
      auto rows = chain(12);
      AuditEntry& entry = rows[at].entry;
      switch (field) {
        case 0:
          entry.who += "x";
          break;
        case 1:
          entry.what = "job.create";
          break;
        case 2:
          entry.ref.clear();
          break;
        case 3:
          entry.details[0] = ' ';
          break;
        case 4:
          entry.at += Millis{1};
          break;
        default:
          rows[at].hash->at(3) ^= 1;
      }
      const AuditCheck check = verify(rows);
      EXPECT_EQ(check.fault, AuditFault::changed);
      EXPECT_EQ(check.fault_no, entry.no);
      EXPECT_EQ(check.sealed, static_cast<std::int64_t>(at));
    }
}

TEST(AuditChain, AByteMovedBetweenFieldsIsFound) {
  auto rows = chain(3);
  rows[1].entry.who = "adaj";
  rows[1].entry.what = "ob.delete";
  EXPECT_EQ(verify(rows).fault_no, 2);
}

TEST(AuditChain, ARemovedSlippedInOrSwappedRowIsFound) {
  auto removed = chain(10);
  removed.erase(removed.begin() + 4);
  EXPECT_EQ(verify(removed).fault, AuditFault::changed);
  auto slipped = chain(10);
  Row extra = slipped[4];
  extra.entry.no = 6;
  slipped.insert(slipped.begin() + 5, extra);
  EXPECT_EQ(verify(slipped).fault_no, 6);
  auto swapped = chain(10);
  std::swap(swapped[2].entry.ref, swapped[3].entry.ref);
  EXPECT_EQ(verify(swapped).fault_no, 3);
}

TEST(AuditChain, ALostSealInsideIsFound) {
  auto rows = chain(10);
  rows[4].hash.reset();
  const AuditCheck check = verify(rows);
  EXPECT_EQ(check.fault, AuditFault::unsealed);
  EXPECT_EQ(check.fault_no, 5);
}

TEST(AuditChain, ARewrittenHistoryDisagreesWithAHeadThatIsOutside) {
  const auto honest = chain(10);
  auto rows = honest;
  rows[3].entry.who = "nobody";
  reseal(rows, 3);
  EXPECT_FALSE(verify(rows).fault);  // the chain alone cannot know
  const AuditCheck check = verify(rows, {head_at(honest, 6)});
  EXPECT_EQ(check.fault, AuditFault::changed);
  EXPECT_EQ(check.fault_no, honest[6].entry.no);
  auto removed = honest;
  removed.erase(removed.begin() + 6);
  reseal(removed, 6);
  EXPECT_EQ(verify(removed, {head_at(honest, 6)}).fault_no, honest[6].entry.no);
}

TEST(AuditChain, ACutTailIsFoundByAHeadThatIsOutside) {
  const auto honest = chain(10);
  auto rows = honest;
  rows.resize(7);
  EXPECT_FALSE(verify(rows).fault);
  EXPECT_EQ(verify(rows, {head_at(honest, 9)}).fault, AuditFault::tail_cut);
  auto unsealed = honest;
  for (std::size_t at = 7; at < 10; ++at) unsealed[at].hash.reset();
  EXPECT_EQ(verify(unsealed, {head_at(honest, 9)}).fault, AuditFault::tail_cut);
  EXPECT_EQ(verify(unsealed, {head_at(honest, 9)}).fault_no, honest[7].entry.no);
}

TEST(AuditChain, CheckingMayStartInTheMiddle) {
  const auto rows = chain(10);
  AuditVerifier verifier(head_at(rows, 4), {head_at(rows, 2), head_at(rows, 4), head_at(rows, 9)});
  for (std::size_t at = 5; at < rows.size(); ++at) verifier.add(rows[at].entry, rows[at].hash);
  EXPECT_FALSE(verifier.finish().fault);
  AuditHead wrong = head_at(rows, 4);
  wrong.hash[0] ^= 1;
  EXPECT_TRUE(AuditVerifier(head_at(rows, 4), {wrong}).finish().fault);
}

// Any single change of a random chain is found, and never later than at the row that was changed or
// its follower.
TEST(AuditChain, RandomTamperingIsAlwaysFound) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const auto honest = chain(2 + static_cast<int>(dice.below(30)));
    const AuditHead last = head_at(honest, honest.size() - 1);
    auto rows = honest;
    const std::size_t at = dice.below(rows.size());
    switch (dice.below(4)) {
      case 0:
        rows[at].entry.details[dice.below(rows[at].entry.details.size())] ^= 1;
        break;
      case 1:
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 2:
        rows[at].hash.reset();
        break;
      default:
        rows[at].entry.ref += "x";
        reseal(rows, at);
    }
    EXPECT_TRUE(verify(rows, {last}).fault);
  }
}

TEST(AuditChain, FaultsHaveNames) {
  EXPECT_EQ(to_string(AuditFault::changed), "changed");
  EXPECT_EQ(to_string(AuditFault::unsealed), "unsealed");
  EXPECT_EQ(to_string(AuditFault::tail_cut), "tail_cut");
}

}  // namespace
}  // namespace quell
