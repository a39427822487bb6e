// tessera info: everything the library knows of single pictures.
#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>

#include "commands.h"
#include "records.h"
#include "resolve.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct InfoOptions {
  std::vector<std::string> pictures;
  std::string format = "table";
};

std::string local_time(std::int64_t nanoseconds) {
  const std::time_t seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts));
  return text;
}

void write_text(Output& out, const ImageRecord& record, const MarkBook& book) {
  const bool utf8 = out.terminal().utf8;
  const auto field = [&](const std::string& name, const std::string& value) { out.line(pad(name, 9) + value); };
  field("id", std::to_string(record.id));
  field("hash", record.hash.hex());
  if (record.error.empty()) {
    field("picture", std::to_string(record.width) + " x " + std::to_string(record.height) + " " + record.format + ", " +
                         human_bytes(record.hash.bytes));
    field("tokens", std::to_string(record.token_count));
    const Marks marks = book.marks(record.id);
    if (marks.rating > 0) field("rating", std::to_string(marks.rating));
    if (marks.flag != Flag::kNone) field("flag", flag_name(marks.flag));
    if (marks.label != ColorLabel::kNone) field("label", label_name(marks.label));
    for (const std::string& tag : book.tags(record.id)) field("tag", printable(tag, utf8));
  } else {
    field("failed", printable(record.error, utf8) + " (" + record.error_code + ")");
  }
  for (const FileRecord& file : record.files) {
    std::string text = printable(file.path.native(), utf8) + "  (" + local_time(file.mtime_ns);
    if (file.state != FileState::kPresent) text += std::string(", ") + file_state_name(file.state);
    field("file", text + ")");
  }
}

ExitCode run(const InfoOptions& options, Context& context) {
  const Format format = parse_format(options.format);
  const Library library = open_library(context, OpenMode::kRead);
  std::vector<ImageRecord> records;
  for (const std::string& picture : options.pictures) records.push_back(library.image(find_image(library, picture)));
  const MarkBook book(open_curation(context, OpenMode::kRead));
  if (format == Format::kTable) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i > 0) context.out.line("");
      write_text(context.out, records[i], book);
    }
    return ExitCode::kOk;
  }
  RecordWriter writer(context.out, format, current_folder());
  writer.set_marks(book);
  for (const ImageRecord& record : records) writer.add(record);
  writer.finish();
  return ExitCode::kOk;
}

}  // namespace

Command make_info(CLI::App& root) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* app = root.add_subcommand("info", "show what the library knows of a picture")->group("Collect");
  app->add_option("PATH_OR_ID", options->pictures, "pictures of the library")->required();
  app->add_option("--format", options->format, "output: " + std::string(kFormatNames))
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return {app,
          "Size, format, content hash, stored tokens and every file with this content. A picture that has been moved "
          "since it was indexed is found by its content.",
          {{"tessera info Pictures/beach.jpg", "Everything about one picture."},
           {"tessera info 4711 --format json", "The same for a program."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
