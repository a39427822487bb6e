// CSV files (RFC 4180) with a header line, for annotations.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::eval {

struct CsvRow {
  int line = 0;  // where it starts, from 1
  std::vector<std::string> fields;
};

// Every row has as many fields as the header; errors (kDamaged) name file and line.
class CsvFile {
 public:
  explicit CsvFile(const std::filesystem::path& path);

  const std::vector<CsvRow>& rows() const { return rows_; }
  // Index of the first of these columns that there is; throws kDamaged if there is none.
  std::size_t column(std::initializer_list<std::string_view> names) const;
  // The field as a number; throws kDamaged naming file and line.
  double number(const CsvRow& row, std::size_t column) const;
  [[noreturn]] void fail(int line, const std::string& reason) const;

 private:
  std::filesystem::path path_;
  std::vector<std::string> header_;
  std::vector<CsvRow> rows_;
};

}  // namespace tessera::eval
