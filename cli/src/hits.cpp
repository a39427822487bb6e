// Search results as a table, JSON, CSV or paths.
#include "hits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "text.h"

namespace tessera::cli {
namespace {

constexpr int kBarColumns = 10;
constexpr int kChanceColumns = 9;
constexpr int kSmallestPath = 20;

template <typename... Values>
std::string printf_text(const char* format, Values... values) {
  std::array<char, 160> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

bool is_under(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::string prefix = folder.native();
  if (prefix.empty()) return true;
  if (prefix.back() != '/') prefix.push_back('/');
  return path == folder || path.native().starts_with(prefix);
}

// Three digits are all that such an estimate is good for.
Json by_chance_json(double by_chance) {
  if (std::isnan(by_chance)) return {};
  return std::strtod(printf_text("%.2e", by_chance).c_str(), nullptr);
}

Json hit_json(const HitRow& row, std::size_t index, const HitList& list) {
  Json object;
  object["rank"] = index + 1;
  object["id"] = row.hit.id;
  object["score"] = rounded(row.hit.score);
  object["coarse_score"] = rounded(row.hit.coarse_score);
  object["rerank_score"] = rounded(row.hit.rerank_score);
  object["coarse_rank"] = row.hit.coarse_rank + 1;
  object["by_chance"] = by_chance_json(row.hit.by_chance);
  const FileRecord& shown = shown_file(row.record, list.under);
  set_path(object, "path", shown.path);
  object["state"] = file_state_name(shown.state);
  object["width"] = row.record.width;
  object["height"] = row.record.height;
  object["format"] = row.record.format;
  object["hash"] = row.record.hash.hex();
  Json copies = Json::array();
  for (const FileRecord& file : row.record.files) {
    if (&file == &shown) continue;
    Json copy;
    set_path(copy, "path", file.path);
    copy["state"] = file_state_name(file.state);
    copies.push_back(std::move(copy));
  }
  object["copies"] = std::move(copies);
  return object;
}

Json list_json(const HitList& list) {
  Json document;
  document["query"] = Json::array();
  for (const QueryExample& example : list.query) {
    Json part;
    set_path(part, "path", example.path);
    part["weight"] = rounded(example.weight);
    part["region"] = example.region.empty() ? Json() : Json(example.region);
    document["query"].push_back(std::move(part));
  }
  document["searched"] = list.result.searched;
  document["coarse"] = coarse_method_name(list.result.coarse_used);
  document["rerank"] = rerank_method_name(list.rerank);
  document["rerank_weight"] = list.rerank == RerankMethod::kNone ? 0 : rounded(list.rerank_weight);
  document["tokens"] = list.tokens;
  document["coarse_ms"] = rounded(static_cast<float>(list.result.coarse_ms));
  document["rerank_ms"] = rounded(static_cast<float>(list.result.rerank_ms));
  document["calibrate_ms"] = rounded(static_cast<float>(list.result.calibrate_ms));
  document["background"] = list.result.background;
  document["precision"] = list.precision > 0 ? Json(list.precision) : Json();
  document["cut"] = list.result.cut;
  document["hits"] = Json::array();
  for (std::size_t i = 0; i < list.rows.size(); ++i) document["hits"].push_back(hit_json(list.rows[i], i, list));
  return document;
}

void write_table(Output& out, const HitList& list, const std::filesystem::path& folder) {
  const Terminal& terminal = out.terminal();
  std::size_t id_columns = 2;
  for (const HitRow& row : list.rows) id_columns = std::max(id_columns, std::to_string(row.hit.id).size());
  const int before_path =
      3 + 2 + 6 + 2 + kBarColumns + 2 + kChanceColumns + 2 + 6 + 2 + static_cast<int>(id_columns) + 2;
  const char* bold = terminal.color ? "\x1b[1m" : "";
  const char* accent = terminal.color ? "\x1b[36m" : "";
  const char* plain = terminal.color ? "\x1b[0m" : "";

  out.line(bold + pad("#", -3) + "  " + pad("score", -6) + "  " + pad("", kBarColumns) + "  " +
           pad("by chance", -kChanceColumns) + "  " + pad("coarse", -6) + "  " +
           pad("id", -static_cast<int>(id_columns)) + "  path" + plain);
  for (std::size_t i = 0; i < list.rows.size(); ++i) {
    const HitRow& row = list.rows[i];
    const FileRecord& shown = shown_file(row.record, list.under);
    std::string tail;
    if (shown.state != FileState::kPresent) tail += std::string("  (") + file_state_name(shown.state) + ")";
    if (row.record.files.size() > 1) {
      tail +=
          "  (+" + std::to_string(row.record.files.size() - 1) + (row.record.files.size() == 2 ? " copy)" : " copies)");
    }
    std::string path = printable(short_path(shown.path, folder), terminal.utf8);
    if (terminal.columns > 0) {
      const int room = terminal.columns - before_path - static_cast<int>(tail.size());
      path = elide_middle(path, std::max(room, kSmallestPath), terminal.utf8);
    }
    out.line(pad(std::to_string(i + 1), -3) + "  " + printf_text("%6.3f", row.hit.score) + "  " + accent +
             bar(row.hit.score, kBarColumns, terminal.utf8) + plain + "  " +
             pad(by_chance_text(row.hit.by_chance), -kChanceColumns) + "  " +
             printf_text("%6.3f", row.hit.coarse_score) + "  " +
             pad(std::to_string(row.hit.id), -static_cast<int>(id_columns)) + "  " + path + tail);
  }
}

void write_csv(Output& out, const HitList& list) {
  out.write("rank,id,score,coarse_score,rerank_score,coarse_rank,by_chance,width,height,format,state,path\r\n");
  for (std::size_t i = 0; i < list.rows.size(); ++i) {
    const HitRow& row = list.rows[i];
    const FileRecord& shown = shown_file(row.record, list.under);
    const std::string by_chance = std::isnan(row.hit.by_chance) ? "" : printf_text("%.2e", row.hit.by_chance);
    out.write(printf_text("%zu,%lld,%.6f,%.6f,%.6f,%d,%s,%d,%d,", i + 1, static_cast<long long>(row.hit.id),
                          row.hit.score, row.hit.coarse_score, row.hit.rerank_score, row.hit.coarse_rank + 1,
                          by_chance.c_str(), row.record.width, row.record.height) +
              csv_field(row.record.format) + "," + file_state_name(shown.state) + "," + csv_field(shown.path.native()) +
              "\r\n");
  }
}

}  // namespace

const FileRecord& shown_file(const ImageRecord& record, const std::vector<std::filesystem::path>& under) {
  const auto cost = [&](const FileRecord& file) {
    const bool inside =
        under.empty() || std::any_of(under.begin(), under.end(),
                                     [&](const std::filesystem::path& folder) { return is_under(file.path, folder); });
    const int state = file.state == FileState::kPresent ? 0 : file.state == FileState::kOffline ? 1 : 2;
    return (inside ? 0 : 10) + state;
  };
  return *std::min_element(record.files.begin(), record.files.end(),
                           [&](const FileRecord& a, const FileRecord& b) { return cost(a) < cost(b); });
}

void write_hits(Output& out, Format format, const HitList& list, const std::filesystem::path& folder) {
  switch (format) {
    case Format::kTable: write_table(out, list, folder); break;
    case Format::kJson: out.line(dump(list_json(list), 2)); break;
    case Format::kJsonl:
      for (std::size_t i = 0; i < list.rows.size(); ++i) out.line(dump(hit_json(list.rows[i], i, list)));
      break;
    case Format::kCsv: write_csv(out, list); break;
    case Format::kPaths:
    case Format::kPaths0:
      for (const HitRow& row : list.rows) {
        out.write(shown_file(row.record, list.under).path.native());
        out.write(format == Format::kPaths ? std::string_view("\n") : std::string_view("\0", 1));
      }
      break;
  }
}

std::string by_chance_text(double by_chance) {
  if (std::isnan(by_chance)) return "-";
  if (by_chance < 0.001) return "<0.001";
  return printf_text(by_chance < 0.01 ? "%.3f" : by_chance < 1 ? "%.2f" : by_chance < 10 ? "%.1f" : "%.0f", by_chance);
}

std::string hits_summary(const HitList& list) {
  std::string text = human_count(static_cast<std::int64_t>(list.rows.size())) + " of " +
                     plural(list.result.searched, "picture") + "; " + coarse_method_name(list.result.coarse_used) +
                     printf_text(" recall %.1f ms", list.result.coarse_ms);
  if (list.rerank != RerankMethod::kNone) {
    text += std::string(", ") + rerank_method_name(list.rerank) + " rerank with " + plural(list.tokens, "token") +
            printf_text(" %.1f ms", list.result.rerank_ms);
  }
  if (list.result.background > 0) text += printf_text(", chance %.1f ms", list.result.calibrate_ms);
  if (list.precision > 0) {
    text += list.result.cut
                ? printf_text("; cut where more than %.3g %% would be by chance", 100 * (1 - list.precision))
                : std::string("; the list ends before the cut: more pictures may belong to it (-k, --candidates)");
  }
  return text;
}

}  // namespace tessera::cli
