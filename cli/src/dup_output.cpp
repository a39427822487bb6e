// Groups of duplicates as a table, JSON, CSV or paths.
#include "dup_output.h"

#include <cstdio>

#include "text.h"

namespace tessera::cli {
namespace {

std::string two_decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string size_of(const ImageRecord& image) {
  return std::to_string(image.width) + "x" + std::to_string(image.height);
}

void write_groups(Output& out, const DupList& list, const std::filesystem::path& folder) {
  const Terminal& terminal = out.terminal();
  const char* bold = terminal.color ? "\x1b[1m" : "";
  const char* plain = terminal.color ? "\x1b[0m" : "";
  for (std::size_t g = 0; g < list.groups.size(); ++g) {
    const ReviewedGroup& group = list.groups[g];
    out.line(std::string(g > 0 ? "\n" : "") + bold + std::to_string(g + 1) + "  " + duplicate_label_name(group.label) +
             "  " + two_decimals(group.certainty) + plain);
    for (const KeepDecision& decision : group.files) {
      const KeepFile& file = decision.file;
      std::string line = "  ";
      if (list.rules_given) line += pad(decision.keep ? "keep" : "go", 6);
      line += pad(std::to_string(file.image->id), -6) + "  " + pad(size_of(*file.image), -11) + "  " +
              pad(human_bytes(file.file.bytes), -8) + "  " + pad(file.image->format, 5) + "  ";
      out.line(line + printable(short_path(file.file.path, folder), terminal.utf8));
      if (list.rules_given) out.line("        " + printable(decision.reason, terminal.utf8));
    }
  }
}

Json group_json(const ReviewedGroup& group, std::size_t number, bool rules_given) {
  Json object;
  object["group"] = number;
  object["label"] = duplicate_label_name(group.label);
  object["certainty"] = rounded(static_cast<float>(group.certainty));
  object["files"] = Json::array();
  for (const KeepDecision& decision : group.files) {
    const KeepFile& file = decision.file;
    Json entry;
    entry["id"] = file.image->id;
    set_path(entry, "path", file.file.path);
    entry["state"] = file_state_name(file.file.state);
    entry["width"] = file.image->width;
    entry["height"] = file.image->height;
    entry["format"] = file.image->format;
    entry["bytes"] = file.file.bytes;
    entry["mtime_ns"] = file.file.mtime_ns;
    entry["rating"] = file.rating;
    entry["hash"] = file.image->hash.hex();
    entry["keep"] = rules_given ? Json(decision.keep) : Json();
    entry["reason"] = rules_given ? Json(decision.reason) : Json();
    object["files"].push_back(std::move(entry));
  }
  return object;
}

void write_dup_csv(Output& out, const DupList& list) {
  out.write("group,label,certainty,id,width,height,format,bytes,mtime_ns,rating,state,keep,reason,path\r\n");
  for (std::size_t g = 0; g < list.groups.size(); ++g) {
    for (const KeepDecision& decision : list.groups[g].files) {
      const KeepFile& file = decision.file;
      const std::string kept = !list.rules_given ? "," : decision.keep ? "keep," : "go,";
      out.write(std::to_string(g + 1) + "," + duplicate_label_name(list.groups[g].label) + "," +
                two_decimals(list.groups[g].certainty) + "," + std::to_string(file.image->id) + "," +
                std::to_string(file.image->width) + "," + std::to_string(file.image->height) + "," +
                csv_field(file.image->format) + "," + std::to_string(file.file.bytes) + "," +
                std::to_string(file.file.mtime_ns) + "," + std::to_string(file.rating) + "," +
                file_state_name(file.file.state) + "," + kept + (list.rules_given ? csv_field(decision.reason) : "") +
                "," + csv_field(file.file.path.native()) + "\r\n");
    }
  }
}

}  // namespace

void write_dup(Output& out, Format format, const DupList& list, const std::filesystem::path& folder) {
  switch (format) {
    case Format::kTable: write_groups(out, list, folder); break;
    case Format::kCsv: write_dup_csv(out, list); break;
    case Format::kJson: {
      Json array = Json::array();
      for (std::size_t g = 0; g < list.groups.size(); ++g) {
        array.push_back(group_json(list.groups[g], g + 1, list.rules_given));
      }
      out.line(dump(array, 2));
      break;
    }
    case Format::kJsonl:
      for (std::size_t g = 0; g < list.groups.size(); ++g) {
        out.line(dump(group_json(list.groups[g], g + 1, list.rules_given)));
      }
      break;
    case Format::kPaths:
    case Format::kPaths0:
      for (const ReviewedGroup& group : list.groups) {
        for (const KeepDecision& decision : group.files) {
          if (list.rules_given && decision.keep) continue;
          out.write(decision.file.file.path.native());
          out.write(format == Format::kPaths ? std::string_view("\n") : std::string_view("\0", 1));
        }
      }
      break;
  }
}

PictureTable dup_table(const DupList& list) {
  using Kind = PictureColumn::Kind;
  PictureTable table;
  table.columns = {{"group", "group", Kind::kWhole}, {"certainty", "certainty", Kind::kSimilarity}};
  for (std::size_t g = 0; g < list.groups.size(); ++g) {
    for (const auto& image : list.groups[g].images) {
      table.rows.push_back({*image, {double(g + 1), list.groups[g].certainty}});
    }
  }
  return table;
}

}  // namespace tessera::cli
