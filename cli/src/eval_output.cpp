// Evaluation reports as a table for people, JSON or CSV.
#include "eval_output.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "text.h"

namespace tessera::cli {
namespace {

double rounded_figure(double value) { return std::round(value * 1e6) / 1e6; }

Json cell_json(const eval::Cell& cell) {
  if (const auto* count = std::get_if<std::int64_t>(&cell)) return *count;
  if (const auto* figure = std::get_if<double>(&cell)) return rounded_figure(*figure);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* interval = std::get_if<eval::Interval>(&cell)) {
    Json object;
    object["value"] = rounded_figure(interval->mean);
    object["low"] = rounded_figure(interval->low);
    object["high"] = rounded_figure(interval->high);
    return object;
  }
  return nullptr;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

std::string cell_text(const eval::Cell& cell, int decimals) {
  if (const auto* count = std::get_if<std::int64_t>(&cell)) return human_count(*count);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* figure = std::get_if<double>(&cell)) return fixed(*figure, decimals);
  if (const auto* interval = std::get_if<eval::Interval>(&cell)) {
    return fixed(interval->mean, decimals) + " [" + fixed(interval->low, decimals) + ", " +
           fixed(interval->high, decimals) + "]";
  }
  return "-";
}

// Does a figure of this column come with an interval?
bool has_intervals(const eval::Report& report, std::size_t column) {
  return std::any_of(report.rows.begin(), report.rows.end(),
                     [&](const auto& row) { return std::holds_alternative<eval::Interval>(row[column]); });
}

}  // namespace

Json report_json(const eval::Report& report) {
  Json document;
  document["measure"] = report.measure;
  document["settings"] = Json::object();
  for (const auto& [name, value] : report.settings) document["settings"][name] = cell_json(value);
  document["rows"] = Json::array();
  for (const auto& row : report.rows) {
    Json object;
    for (std::size_t c = 0; c < row.size(); ++c) object[report.columns[c].name] = cell_json(row[c]);
    document["rows"].push_back(std::move(object));
  }
  document["failed"] = Json::array();
  for (const std::string& failure : report.failures) document["failed"].push_back(failure);
  return document;
}

std::string report_csv(const eval::Report& report) {
  std::vector<std::string> lines(1 + report.rows.size());
  const auto add = [](std::string& line, const Json& value) {
    if (value.is_string()) {
      line += csv_field(value.get<std::string>());
    } else if (!value.is_null()) {
      line += dump(value);
    }
    line += ",";
  };
  for (std::size_t c = 0; c < report.columns.size(); ++c) {
    const std::string& name = report.columns[c].name;
    const bool three = has_intervals(report, c);
    add(lines[0], name);
    for (const char* end : {"_low", "_high"}) {
      if (three) add(lines[0], name + end);
    }
    for (std::size_t r = 0; r < report.rows.size(); ++r) {
      const Json value = cell_json(report.rows[r][c]);
      add(lines[r + 1], value.is_object() ? value["value"] : value);
      for (const char* end : {"low", "high"}) {
        if (three) add(lines[r + 1], value.is_object() ? value[end] : Json());
      }
    }
  }
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, line.size() - 1) + "\r\n";
  return text;
}

std::string report_table(const eval::Report& report) {
  std::vector<int> widths;
  std::vector<bool> texts;
  for (std::size_t c = 0; c < report.columns.size(); ++c) {
    int width = display_width(report.columns[c].name);
    bool text = false;
    for (const auto& row : report.rows) {
      width = std::max(width, display_width(cell_text(row[c], report.columns[c].decimals)));
      text = text || std::holds_alternative<std::string>(row[c]);
    }
    widths.push_back(width);
    texts.push_back(text);
  }
  const auto line = [&](const auto& cell) {
    std::string text;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      text += (c > 0 ? "  " : "") + pad(cell(c), texts[c] ? widths[c] : -widths[c]);
    }
    while (text.ends_with(' ')) text.pop_back();
    return text + "\n";
  };
  std::string table = line([&](std::size_t c) { return report.columns[c].name; });
  for (const auto& row : report.rows) {
    table += line([&](std::size_t c) { return cell_text(row[c], report.columns[c].decimals); });
  }
  return table;
}

}  // namespace tessera::cli
