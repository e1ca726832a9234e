#include "storage/backup/tables.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "runtime/base/assert.hpp"
#include "runtime/base/digest.hpp"

namespace quell::storage {

namespace {

std::vector<BackupTable> made_tables() {
  std::vector<BackupTable> tables;
#define BACKUP_TABLE(table, key) tables.push_back({#table, key, {}});
#define BACKUP_COLUMN(table, column, type) \
  tables.back().columns.push_back({#column, CellType::type});
#include "storage/spec/backup.def"
  return tables;
}

constexpr std::array left_out{
#define BACKUP_LEFT_OUT(table, why) LeftOut{#table, why},
#include "storage/spec/backup.def"
};

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

bool take_varint(std::string_view& from, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (from.empty()) return false;
    const auto byte = static_cast<std::uint8_t>(from.front());
    from.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Small numbers are short, also those below zero.
std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

bool decode_cell(std::string_view& from, Cell& cell) {
  if (from.empty()) return false;
  const auto kind = static_cast<std::uint8_t>(from.front());
  from.remove_prefix(1);
  cell.kind = static_cast<Cell::Kind>(kind);
  std::uint64_t value = 0;
  switch (cell.kind) {
    case Cell::Kind::null:
      return true;
    case Cell::Kind::number:
      if (!take_varint(from, value)) return false;
      cell.number = unzigzag(value);
      return true;
    case Cell::Kind::real:
      if (from.size() < sizeof cell.real) return false;
      std::memcpy(&cell.real, from.data(), sizeof cell.real);
      from.remove_prefix(sizeof cell.real);
      return true;
    case Cell::Kind::bytes:
      if (!take_varint(from, value) || from.size() < value) return false;
      cell.bytes.assign(from.substr(0, value));
      from.remove_prefix(value);
      return true;
    case Cell::Kind::absent:
      break;
  }
  return false;
}

}  // namespace

std::size_t BackupTable::column(std::string_view named) const {
  for (std::size_t at = 0; at < columns.size(); ++at)
    if (columns[at].name == named) return at;
  QUELL_ASSERT(false && "the table has no such column");
  return 0;
}

std::span<const BackupTable> backup_tables() {
  static const std::vector<BackupTable> tables = made_tables();
  return tables;
}

std::span<const LeftOut> backup_left_out() {
  return left_out;
}

std::string_view type_name(CellType type) {
  constexpr std::array<std::string_view, 6> names{"id", "number", "real", "text", "bytes", "body"};
  return names.at(static_cast<std::size_t>(type));
}

void encode_row(const BackupRow& row, std::string& out) {
  for (const Cell& cell : row) {
    QUELL_ASSERT(cell.kind != Cell::Kind::absent);
    out += static_cast<char>(cell.kind);
    if (cell.kind == Cell::Kind::number) put_varint(out, zigzag(cell.number));
    if (cell.kind == Cell::Kind::real)
      out.append(reinterpret_cast<const char*>(&cell.real), sizeof cell.real);
    if (cell.kind != Cell::Kind::bytes) continue;
    put_varint(out, cell.bytes.size());
    out += cell.bytes;
  }
}

bool decode_row(std::string_view& from, std::size_t cells, BackupRow& row) {
  row.resize(cells);
  for (Cell& cell : row)
    if (!decode_cell(from, cell)) return false;
  return true;
}

void TableSum::add(std::string_view encoded_row) {
  const Digest digest = sha256(encoded_row);
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), digest.data(), sizeof words);
  ++rows;
  low += words[0];
  high += words[1];
}

std::string TableSum::text() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

}  // namespace quell::storage
