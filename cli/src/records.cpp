// Pictures of the catalog as a table, JSON, CSV or paths.
#include "records.h"

#include <algorithm>
#include <string>
#include <utility>

#include "text.h"

namespace tessera::cli {
namespace {

constexpr int kIdColumns = 7;
constexpr int kSizeColumns = 11;
constexpr int kFormatColumns = 6;
constexpr int kStateColumns = 7;
constexpr int kSmallestPath = 20;

std::string pixel_size(const ImageRecord& record) {
  if (record.width == 0) return "-";
  return std::to_string(record.width) + "x" + std::to_string(record.height);
}

const char* shown_state(const ImageRecord& record, const FileRecord& file) {
  return record.error.empty() ? file_state_name(file.state) : "failed";
}

}  // namespace

Json record_json(const ImageRecord& record) { return Json::parse(record_json_text(record, nullptr)); }

RecordWriter::RecordWriter(Output& out, Format format, std::filesystem::path folder, const FileState* state)
    : out_(out), format_(format), folder_(std::move(folder)), state_(state) {
  if (format_ == Format::kTable) {
    const char* bold = out_.terminal().color ? "\x1b[1m" : "";
    const char* plain = out_.terminal().color ? "\x1b[0m" : "";
    out_.line(bold + pad("id", -kIdColumns) + "  " + pad("pixels", -kSizeColumns) + "  " +
              pad("format", kFormatColumns) + "  " + pad("state", kStateColumns) + "  path" + plain);
  } else if (format_ == Format::kCsv) {
    out_.write(record_csv_header());
  }
}

void RecordWriter::add(const ImageRecord& record) {
  if (format_ == Format::kJson) {
    out_.write(first_ ? "[\n" : ",\n");
    out_.write(record_json_text(record, book()));
  } else if (format_ == Format::kJsonl) {
    out_.line(record_json_text(record, book()));
  } else if (format_ == Format::kCsv) {
    out_.write(record_csv_rows(record, book(), state_));
  } else {
    for (const FileRecord& file : record.files) {
      if (state_ != nullptr && file.state != *state_) continue;
      switch (format_) {
        case Format::kPaths: out_.line(file.path.native()); break;
        case Format::kPaths0: out_.write(file.path.native() + '\0'); break;
        default: add_table(record, file); break;
      }
    }
  }
  first_ = false;
}

void RecordWriter::add_table(const ImageRecord& record, const FileRecord& file) {
  const Terminal& terminal = out_.terminal();
  constexpr int kBeforePath = kIdColumns + kSizeColumns + kFormatColumns + kStateColumns + 8;
  std::string path = printable(short_path(file.path, folder_), terminal.utf8);
  if (terminal.columns > 0) {
    path = elide_middle(path, std::max(terminal.columns - kBeforePath, kSmallestPath), terminal.utf8);
  }
  out_.line(pad(std::to_string(record.id), -kIdColumns) + "  " + pad(pixel_size(record), -kSizeColumns) + "  " +
            pad(record.format.empty() ? "-" : record.format, kFormatColumns) + "  " +
            pad(shown_state(record, file), kStateColumns) + "  " + path);
  if (!record.error.empty()) out_.line(std::string(kIdColumns + 2, ' ') + printable(record.error, terminal.utf8));
}

void RecordWriter::finish() {
  if (format_ == Format::kJson) out_.line(first_ ? "[]" : "\n]");
}

}  // namespace tessera::cli
