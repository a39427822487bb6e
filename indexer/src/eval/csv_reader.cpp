// CSV files (RFC 4180) with a header line, for annotations.
#include "eval/csv_reader.h"

#include <algorithm>

#include "eval/text_file.h"
#include "tessera/error.h"

namespace tessera::eval {
namespace {

// One record after the other; quoted fields may hold commas, doubled quotes and line ends.
class CsvParser {
 public:
  explicit CsvParser(std::string_view text) : text_(text) {}

  // False at the end. Empty lines are skipped. A null `problem` afterwards means the record is whole.
  bool next(CsvRow& row, const char*& problem) {
    problem = nullptr;
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) end_line();
    if (at_ == text_.size()) return false;
    row.line = line_;
    row.fields.clear();
    while (true) {
      row.fields.emplace_back();
      if (at_ < text_.size() && text_[at_] == '"') {
        if (!quoted(row.fields.back())) problem = "a quoted field does not end";
      } else {
        while (at_ < text_.size() && !at_separator()) row.fields.back().push_back(text_[at_++]);
      }
      if (at_ == text_.size()) return true;
      if (text_[at_] == ',') {
        ++at_;
      } else if (text_[at_] == '\n' || text_[at_] == '\r') {
        end_line();
        return true;
      } else {
        problem = "text follows the closing quote of a field";
        return true;
      }
    }
  }

 private:
  bool at_separator() const { return text_[at_] == ',' || text_[at_] == '\n' || text_[at_] == '\r'; }

  void end_line() {
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
  }

  bool quoted(std::string& field) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return true;
        }
        ++at_;
      } else if (text_[at_] == '\n') {
        ++line_;
      }
      field.push_back(text_[at_]);
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

CsvFile::CsvFile(const std::filesystem::path& path) : path_(path) {
  const std::string text = read_text_file(path);
  CsvParser parser(text);
  CsvRow row;
  const char* problem = nullptr;
  if (!parser.next(row, problem)) fail(1, "the file is empty; a header line is needed");
  if (problem != nullptr) fail(row.line, problem);
  header_ = std::move(row.fields);
  while (parser.next(row, problem)) {
    if (problem != nullptr) fail(row.line, problem);
    if (row.fields.size() != header_.size()) {
      fail(row.line,
           std::to_string(row.fields.size()) + " fields, but the header has " + std::to_string(header_.size()));
    }
    rows_.push_back(std::move(row));
    row = {};
  }
}

std::size_t CsvFile::column(std::initializer_list<std::string_view> names) const {
  std::string wanted;
  for (const std::string_view name : names) {
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found != header_.end()) return static_cast<std::size_t>(found - header_.begin());
    wanted += (wanted.empty() ? "'" : " or '") + std::string(name) + "'";
  }
  fail(1, "the header has no column " + wanted);
}

double CsvFile::number(const CsvRow& row, std::size_t column) const {
  const auto value = parse_number(row.fields[column]);
  if (!value) fail(row.line, "'" + row.fields[column] + "' in column '" + header_[column] + "' is no number");
  return *value;
}

void CsvFile::fail(int line, const std::string& reason) const { fail_at(path_, line, reason); }

}  // namespace tessera::eval
