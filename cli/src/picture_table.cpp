// Pictures with numbers beside them as a table, JSON, CSV or paths.
#include "picture_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "hits.h"
#include "text.h"

namespace tessera::cli {
namespace {

constexpr int kLeastPath = 20;
constexpr int kRankColumns = 4;

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string shown_value(PictureColumn::Kind kind, double value) {
  if (kind == PictureColumn::Kind::kByChance) return by_chance_text(value);
  if (std::isnan(value)) return "-";
  switch (kind) {
    case PictureColumn::Kind::kWhole: return formatted("%.0f", value);
    case PictureColumn::Kind::kSimilarity: return formatted("%.3f", value);
    default: return formatted("%.0f %%", 100 * value);
  }
}

std::string csv_value(PictureColumn::Kind kind, double value) {
  if (std::isnan(value)) return "";
  switch (kind) {
    case PictureColumn::Kind::kWhole: return formatted("%.0f", value);
    case PictureColumn::Kind::kByChance: return formatted("%.2e", value);
    default: return formatted("%.6f", value);
  }
}

Json json_value(PictureColumn::Kind kind, double value) {
  if (std::isnan(value)) return {};
  switch (kind) {
    case PictureColumn::Kind::kWhole: return static_cast<std::int64_t>(value);
    case PictureColumn::Kind::kByChance: return std::stod(formatted("%.2e", value));
    default: return rounded(static_cast<float>(value));
  }
}

void write_table(Output& out, const PictureTable& table, const std::filesystem::path& folder) {
  const Terminal& terminal = out.terminal();
  const char* bold = terminal.color ? "\x1b[1m" : "";
  const char* plain = terminal.color ? "\x1b[0m" : "";
  std::vector<int> widths;
  std::string heading = pad("#", -kRankColumns);
  int before_path = kRankColumns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    int width = static_cast<int>(table.columns[c].heading.size());
    for (const PictureRow& row : table.rows) {
      width = std::max(width, static_cast<int>(shown_value(table.columns[c].kind, row.values[c]).size()));
    }
    widths.push_back(width);
    heading += "  " + pad(table.columns[c].heading, -width);
    before_path += 2 + width;
  }
  int id_width = 2;
  for (const PictureRow& row : table.rows) {
    id_width = std::max(id_width, static_cast<int>(std::to_string(row.record.id).size()));
  }
  before_path += 4 + id_width;
  out.line(bold + heading + "  " + pad("id", -id_width) + "  path" + plain);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const PictureRow& row = table.rows[r];
    std::string line = pad(std::to_string(r + 1), -kRankColumns);
    for (std::size_t c = 0; c < widths.size(); ++c) {
      line += "  " + pad(shown_value(table.columns[c].kind, row.values[c]), -widths[c]);
    }
    const FileRecord& shown = shown_file(row.record, table.under);
    std::string path = printable(short_path(shown.path, folder), terminal.utf8);
    if (terminal.columns > 0) {
      path = elide_middle(path, std::max(terminal.columns - before_path, kLeastPath), terminal.utf8);
    }
    out.line(line + "  " + pad(std::to_string(row.record.id), -id_width) + "  " + path);
  }
}

void write_csv(Output& out, const PictureTable& table) {
  std::string heading = "rank,id";
  for (const PictureColumn& column : table.columns) heading += "," + column.name;
  out.write(heading + ",width,height,format,state,path\r\n");
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const PictureRow& row = table.rows[r];
    const FileRecord& shown = shown_file(row.record, table.under);
    std::string line = std::to_string(r + 1) + "," + std::to_string(row.record.id);
    for (std::size_t c = 0; c < row.values.size(); ++c) line += "," + csv_value(table.columns[c].kind, row.values[c]);
    out.write(line + "," + std::to_string(row.record.width) + "," + std::to_string(row.record.height) + "," +
              csv_field(row.record.format) + "," + file_state_name(shown.state) + "," + csv_field(shown.path.native()) +
              "\r\n");
  }
}

}  // namespace

Json picture_json(const PictureTable& table, std::size_t row, std::size_t rank) {
  const PictureRow& picture = table.rows[row];
  const FileRecord& shown = shown_file(picture.record, table.under);
  Json object;
  if (rank > 0) object["rank"] = rank;
  object["id"] = picture.record.id;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    object[table.columns[c].name] = json_value(table.columns[c].kind, picture.values[c]);
  }
  set_path(object, "path", shown.path);
  object["state"] = file_state_name(shown.state);
  object["width"] = picture.record.width;
  object["height"] = picture.record.height;
  object["format"] = picture.record.format;
  object["hash"] = picture.record.hash.hex();
  return object;
}

void write_pictures(Output& out, Format format, const PictureTable& table, const std::filesystem::path& folder) {
  switch (format) {
    case Format::kTable: write_table(out, table, folder); break;
    case Format::kCsv: write_csv(out, table); break;
    case Format::kJson: {
      Json array = Json::array();
      for (std::size_t r = 0; r < table.rows.size(); ++r) array.push_back(picture_json(table, r, r + 1));
      out.line(dump(array, 2));
      break;
    }
    case Format::kJsonl:
      for (std::size_t r = 0; r < table.rows.size(); ++r) out.line(dump(picture_json(table, r, r + 1)));
      break;
    case Format::kPaths:
    case Format::kPaths0:
      for (const PictureRow& row : table.rows) {
        out.write(shown_file(row.record, table.under).path.native());
        out.write(format == Format::kPaths ? std::string_view("\n") : std::string_view("\0", 1));
      }
      break;
  }
}

}  // namespace tessera::cli
