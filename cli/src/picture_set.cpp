// Which pictures a command works on, and how it shows what it found.
#include "picture_set.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "hits.h"
#include "resolve.h"
#include "sheet_file.h"

namespace tessera::cli {
namespace {

ContactSheet sheet_of(const PictureTable& table, const std::string& title) {
  ContactSheet sheet;
  sheet.title = title;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    SheetPicture& picture = sheet.hits.emplace_back();
    picture.path = shown_file(table.rows[r].record, table.under).path;
    picture.caption = picture.path.filename().string();
    picture.note = std::to_string(r + 1);
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const double value = table.rows[r].values[c];
      if (std::isnan(value) || table.columns[c].kind == PictureColumn::Kind::kByChance) continue;
      char text[96];
      std::snprintf(text, sizeof text,
                    table.columns[c].kind == PictureColumn::Kind::kWhole ? "   %s %.0f" : "   %s %.2f",
                    table.columns[c].heading.c_str(), value);
      picture.note += text;
    }
  }
  return sheet;
}

}  // namespace

void add_picture_set_options(CLI::App& app, PictureSetOptions& options) {
  app.add_option("PATH_OR_ID", options.pictures, "pictures of the library that make up the set (default: all)");
  app.add_option("--under", options.under, "pictures with a file below this folder; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option("--format", options.format, "output: " + std::string(kFormatNames))
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  app.add_option("--sheet", options.sheet, "also write a contact sheet: FILE.jpg, FILE.png or FILE.html")
      ->type_name("FILE");
  app.add_option("--open", options.open, "like --sheet, and show it if there is a display")->type_name("FILE");
}

void add_picture_set_conditions(CLI::App& app, PictureSetOptions& options) {
  add_filter_options(app, options.conditions, false);
}

std::optional<std::vector<ImageId>> chosen_ids(const Library& library, const PictureSetOptions& options) {
  if (!options.sheet.empty()) check_sheet_name(options.sheet);
  if (!options.open.empty()) check_sheet_name(options.open);
  const auto conditions = options.conditions.filter();
  const bool named = !options.pictures.empty() || !options.under.empty();
  if (!named && !conditions) return std::nullopt;
  std::vector<ImageId> ids;
  for (const std::string& picture : options.pictures) ids.push_back(find_image(library, picture));
  if (!options.under.empty()) {
    ListFilter filter;
    filter.under = absolute_paths(options.under);
    library.list(filter, [&](const ImageRecord& record) {
      if (record.token_count > 0) ids.push_back(record.id);
      return true;
    });
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (!conditions) return ids;
  const std::vector<ImageId> passing = library.matching(*conditions);
  if (!named) return passing;
  std::vector<ImageId> both;
  std::ranges::set_intersection(ids, passing, std::back_inserter(both));
  return both;
}

PictureVectors chosen_vectors(const Library& library, const PictureSetOptions& options) {
  const auto ids = chosen_ids(library, options);
  PictureVectors vectors = ids ? library.vectors(*ids) : library.vectors();
  if (vectors.ids.empty()) throw Error(ErrorCode::kNotFound, "the set holds no picture that could be read");
  return vectors;
}

std::size_t row_of(const PictureVectors& vectors, ImageId id) {
  const auto found = std::lower_bound(vectors.ids.begin(), vectors.ids.end(), id);
  if (found == vectors.ids.end() || *found != id) {
    throw Error(ErrorCode::kNotFound, "picture " + std::to_string(id) + " could not be read or has no file any more");
  }
  return static_cast<std::size_t>(found - vectors.ids.begin());
}

void show_pictures(Context& context, const PictureTable& table, const std::string& title,
                   const PictureSetOptions& options) {
  write_pictures(context.out, parse_format(options.format), table, current_folder());
  context.out.flush();
  show_sheet(context, table, title, options);
}

void show_sheet(Context& context, const PictureTable& table, const std::string& title,
                const PictureSetOptions& options) {
  if (options.sheet.empty() && options.open.empty()) return;
  const ContactSheet sheet = sheet_of(table, title);
  if (!options.sheet.empty()) write_sheet(sheet, options.sheet, context.console);
  if (options.open.empty()) return;
  write_sheet(sheet, options.open, context.console);
  open_in_viewer(options.open, context.console);
}

}  // namespace tessera::cli
