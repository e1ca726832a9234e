// The tables of a backup (storage/spec/backup.def), and a row of one as it goes from any store to
// any other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quell::storage {

enum class CellType : std::uint8_t { id, number, real, text, bytes, body };

struct BackupColumn {
  std::string_view name;
  CellType type = CellType::text;
};

enum class BackupTableId : std::uint8_t {
#define BACKUP_TABLE(table, key) table,
#include "storage/spec/backup.def"
};

struct BackupTable {
  std::string_view name;
  std::string_view key;  // the column that names a job, or ""
  std::vector<BackupColumn> columns;
  std::size_t column(std::string_view named) const;  // it has one
};
std::span<const BackupTable> backup_tables();  // by BackupTableId
inline const BackupTable& backup_table(BackupTableId id) {
  return backup_tables()[static_cast<std::size_t>(id)];
}

struct LeftOut {
  std::string_view table, why;
};
std::span<const LeftOut> backup_left_out();

struct Cell {
  enum class Kind : std::uint8_t { null, number, real, bytes, absent };
  Kind kind = Kind::null;  // absent: of a file from before the column; the store's default
  std::int64_t number = 0;
  double real = 0;
  std::string bytes = {};  // also of an id
  bool is_null() const { return kind == Kind::null || kind == Kind::absent; }
};
using BackupRow = std::vector<Cell>;

std::string_view type_name(CellType type);

void encode_row(const BackupRow& row, std::string& out);
// False when the bytes end too early, or are no row of so many cells.
bool decode_row(std::string_view& from, std::size_t cells, BackupRow& row);

// Rows of a table whatever their order: how many, and a sum over their digests.
struct TableSum {
  std::uint64_t rows = 0, low = 0, high = 0;
  void add(std::string_view encoded_row);
  std::string text() const;  // of the sum, hex
  bool operator==(const TableSum&) const = default;
};

}  // namespace quell::storage
