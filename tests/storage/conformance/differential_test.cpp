// The same random batches on the oracle and on every other store: all answers and all that can be
// read must be the same after each of them.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/storage/conformance/random_batches.hpp"
#include "tests/storage/conformance/store_test.hpp"
#include "tests/storage/conformance/store_text.hpp"

namespace quell::storage {
namespace {

// Behind the pooler the same code sends the same statements another way, and the server plans each
// anew.
constexpr int operations_in_all = 10'000, operations_pooled = 2'000;
// To read all that can be read takes a server some hundred statements: there it is done behind
// every third batch, since a state that is wrong stays wrong. Every answer is compared everywhere.
constexpr int batches_a_look = 3;

std::uint64_t seed_of_this_run() {
  const char* told = std::getenv("QUELL_SEED");
  // The gate repeats one history, or a change is blamed for what it did not do; a longer search
  // gives seeds of its own.
  return told ? std::strtoull(told, nullptr, 10) : 1;
}

struct Opened {
  explicit Opened(const StoreFactory& factory) : store(factory.open_fresh()) { open(); }
  void open() {
    auto new_writer = store->store().open_writer();
    auto new_reader = store->store().open_reader();
    QUELL_ASSERT(new_writer.ok() && new_reader.ok());
    writer = std::move(*new_writer);
    reader = std::move(*new_reader);
  }
  void reopen() {
    writer.reset();
    reader.reset();
    store->reopen();
    open();
  }
  std::unique_ptr<TestStore> store;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Reader> reader;
};

// Empty when both are the same, else the first line that is not, with the one before it.
std::string first_difference(const Lines& oracle, const Lines& other) {
  if (oracle == other) return "";
  std::size_t at = 0;
  while (at < oracle.size() && at < other.size() && oracle[at] == other[at]) ++at;
  const auto line = [](const Lines& lines, std::size_t i) {
    return i < lines.size() ? lines[i] : "(nothing more)";
  };
  return "after: " + (at ? line(oracle, at - 1) : "(the start)") + "\noracle: " + line(oracle, at) +
         "\nother:  " + line(other, at);
}

std::int64_t jobs_in(Reader& reader) {
  std::int64_t sum = 0;
  const auto rows = reader.counts("");
  for (const CountRow& row : *rows) sum += row.n;
  return sum;
}

std::vector<StoreFactory> all_but_the_oracle() {
  std::vector<StoreFactory> others;
  for (const StoreFactory& factory : store_factories())
    if (factory.name != "memory") others.push_back(factory);
  return others;
}

const StoreFactory& the_oracle() {
  const auto& all = store_factories();
  return *std::find_if(all.begin(), all.end(),
                       [](const StoreFactory& one) { return one.name == "memory"; });
}

class Differential : public testing::TestWithParam<StoreFactory> {
 protected:
  Interest interest(bool everything) {
    Interest now{random_.now(), random_.jobs(), random_.deletes(), random_.lives()};
    const auto keep_last = [&](auto& all, std::size_t n) {
      if (!everything && all.size() > n)
        all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(n));
    };
    keep_last(now.jobs, 30);
    keep_last(now.deletes, 5);
    return now;
  }

  std::string apply_to_both(const Batch& batch) {
    auto expected = oracle_.writer->apply(batch);
    auto answered = other_.writer->apply(batch);
    if (!answered) return "the store refused the batch: " + to_string(answered.error());
    random_.learn(batch, *expected);
    return first_difference(lines_of(*expected), lines_of(*answered));
  }

  std::string compare(bool everything) {
    const Interest what = interest(everything);
    return first_difference(lines_of(*oracle_.reader, what), lines_of(*other_.reader, what));
  }

  std::string compare_audit() {
    const auto ours = oracle_.reader->audit(audited_, 10'000);
    const auto theirs = other_.reader->audit(audited_, 10'000);
    if (!theirs) return to_string(theirs.error());
    if (ours->size() != theirs->size()) return "the audits differ in length";
    for (std::size_t i = 0; i < ours->size(); ++i) {
      const AuditRow &a = ours->at(i), &b = theirs->at(i);
      if (a.no != b.no || a.at != b.at || a.who != b.who || a.what != b.what || a.ref != b.ref ||
          a.detail != b.detail || a.digest != b.digest || a.hash != b.hash)
        return "the audits differ in row " + std::to_string(a.no);
    }
    return "";
  }

  std::uint64_t seed_ = seed_of_this_run();
  RandomBatches random_{seed_};
  Opened oracle_{the_oracle()};
  Opened other_{GetParam()};
  std::int64_t audited_ = 0;
};

TEST_P(Differential, EveryAnswerAndAllThatCanBeReadIsTheOracles) {
  std::cout << "QUELL_SEED=" << seed_ << std::endl;
  const bool is_pooled = std::string(GetParam().name) == "pooled";
  const int look = std::string(GetParam().name) == "sqlite" ? 1 : batches_a_look;
  const int wanted = is_pooled ? operations_pooled : operations_in_all;
  int done = 0;
  for (int round = 1; done < wanted; ++round) {
    const int size = 1 + random_.below(random_.below(10) == 0 ? 60 : 16);
    const Batch batch = random_.next(size, jobs_in(*oracle_.reader));
    done += size;
    const auto where = [&](const std::string& what) {
      return what + ", batch " + std::to_string(round) + ", QUELL_SEED=" + std::to_string(seed_);
    };
    ASSERT_EQ(apply_to_both(batch), "") << where("answers");
    if (round % 20 == 0) {
      ASSERT_TRUE(oracle_.writer->upkeep(random_.now()).ok());
      ASSERT_TRUE(other_.writer->upkeep(random_.now()).ok());
    }
    if (round % 300 == 0) other_.reopen();
    if (round % look == 0) {
      ASSERT_EQ(compare(round % 10 == 0), "") << where("state");
    }
    ASSERT_EQ(compare_audit(), "") << where("audit");
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, Differential, testing::ValuesIn(all_but_the_oracle()),
                         name_of_store);

}  // namespace
}  // namespace quell::storage
