// Whatever goes into an array literal comes out of PostgreSQL as it was, or is refused here.
#include "storage/postgres/connection/array_literal.hpp"

#include <random>

#include "storage/fault.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage::postgres {
namespace {

std::string in_hex(std::string_view bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

class ArrayLiterals : public PostgresDatabase {
 protected:
  // The elements as PostgreSQL reads them, in hex so that nothing is lost on the way back.
  std::vector<std::string> read(const ArrayLiteral& array, const std::string& type) {
    SqlPrompt hand(url());
    std::string quoted;
    for (const char c : array.literal())
      quoted += c == '\'' ? std::string("''") : std::string(1, c);
    const std::string bytes = type == "bytea" ? "x" : "convert_to(x::text, 'UTF8')";
    std::vector<std::string> all;
    const pqxx::result rows =
        hand.run("SELECT coalesce(encode(" + bytes + ", 'hex'), 'null') FROM unnest('" + quoted +
                 "'::" + type + "[]) WITH ORDINALITY f(x, i) ORDER BY i");
    for (pqxx::result::size_type i = 0; i < rows.size(); ++i) all.emplace_back(rows[i][0].c_str());
    return all;
  }
};

TEST_F(ArrayLiterals, AnyBytesSurvive) {
  std::mt19937 random(11);
  ArrayLiteral array;
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    array.add(Bytes{bytes});
    expected.push_back(in_hex(bytes));
  }
  EXPECT_EQ(read(array, "bytea"), expected);
}

TEST_F(ArrayLiterals, AnyTextSurvives) {
  std::mt19937 random(12);
  const std::vector<std::string> parts{
      "\"", "\\", "'", "{",  "}",    ",",        "NULL",
      "\n", "\t", " ", "a",  "\x7f", "\xc3\xa4", "\xf0\x9f\x92\xa5",
      "$1", "%",  "?", "--", "\x01"};
  ArrayLiteral array;
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (auto left = random() % 8; left > 0; --left) text += parts[random() % parts.size()];
    array.add(text);
    expected.push_back(in_hex(text));
  }
  EXPECT_EQ(read(array, "text"), expected);
}

TEST_F(ArrayLiterals, NumbersIdsAndNullsSurvive) {
  ArrayLiteral numbers;
  numbers.add(std::numeric_limits<std::int64_t>::min());
  numbers.add(std::optional<int>());
  numbers.add(-1);
  EXPECT_EQ(read(numbers, "bigint"),
            (std::vector<std::string>{in_hex("-9223372036854775808"), "null", in_hex("-1")}));
  ArrayLiteral ids;
  const Uuid id = new_id();
  ids.add(id);
  EXPECT_EQ(read(ids, "uuid"), std::vector<std::string>{in_hex(id.text())});
}

TEST(ArrayLiteral, TextThatPostgresCannotHoldIsRefused) {
  for (const std::string_view bad :
       {std::string_view("a\0b", 3), std::string_view("\xff"), std::string_view("\xc0\x80"),
        std::string_view("\xed\xa0\x80"), std::string_view("\xf4\x90\x80\x80"),
        std::string_view("\xe2\x82")}) {
    ArrayLiteral array;
    EXPECT_THROW(array.add(bad), Fault);
  }
}

TEST(ArrayLiteral, WordsForPeopleAreShownInstead) {
  EXPECT_EQ(shown_text(std::string_view("a\0b", 3)),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(shown_text("\xc3\xa4"), "\xc3\xa4");
  EXPECT_EQ(shown_text("\xc3"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace quell::storage::postgres
