// tessera export: the library's records and vectors for other programs.
#include <CLI/CLI.hpp>
#include <memory>
#include <span>
#include <utility>

#include "commands.h"
#include "interrupt.h"
#include "records.h"
#include "resolve.h"
#include "targets.h"
#include "tessera/indexer/output_file.h"
#include "tessera/safetensors.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct ExportOptions {
  std::string output;
  std::vector<std::string> under;
  int tokens = 1;
};

// Where vectors go, row by row.
class VectorFile {
 public:
  virtual ~VectorFile() = default;
  virtual void append(std::span<const float> row) = 0;
  virtual void finish() = 0;
};

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// NumPy's format 1.0: magic, version, header length, a Python dictionary padded to 64 bytes, little-endian data.
class NpyFile final : public VectorFile {
 public:
  NpyFile(const std::filesystem::path& path, std::int64_t rows, int tokens, int width) : file_(path) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                         std::to_string(tokens) + ", " + std::to_string(width) + "), }";
    constexpr std::size_t kBefore = 10;
    while ((kBefore + header.size() + 1) % 64 != 0) header.push_back(' ');
    header.push_back('\n');
    std::string start("\x93NUMPY\x01\x00", 8);
    start.push_back(static_cast<char>(header.size() & 0xFF));
    start.push_back(static_cast<char>(header.size() >> 8));
    file_.write(start + header);
  }
  void append(std::span<const float> row) override { file_.write(bytes_of(row)); }
  void finish() override { file_.commit(); }

 private:
  OutputFile file_;
};

class TensorFile final : public VectorFile {
 public:
  TensorFile(const std::filesystem::path& path, std::int64_t rows, int tokens, const LibraryEncoder& encoder)
      : writer_(path, declare(rows, tokens, encoder.token_width),
                {{"model", encoder.model_name},
                 {"weights_hash", encoder.weights_hash},
                 {"resize", to_string(encoder.resize)}}) {}
  void append(std::span<const float> row) override { writer_.append(std::as_bytes(row)); }
  void finish() override { writer_.finish(); }

 private:
  static std::vector<SafetensorsWriter::Declaration> declare(std::int64_t rows, int tokens, int width) {
    return {{"tokens", TensorType::kF32, {rows, tokens, width}}};
  }
  SafetensorsWriter writer_;
};

ListFilter filter_of(const ExportOptions& options) {
  ListFilter filter;
  filter.under = absolute_paths(options.under);
  return filter;
}

[[noreturn]] void stopped() { throw Error(ErrorCode::kCancelled, "stopped; nothing was written"); }

// Every record through the same writer that `list` uses, into a file.
void write_records(const ExportOptions& options, Format format, const Library& library, MarkBook book,
                   const Interrupt& interrupt) {
  OutputFile file(options.output);
  Output out(file.descriptor(), ColorMode::kNever);
  RecordWriter writer(out, format, {});
  writer.set_marks(std::move(book));
  library.list(filter_of(options), [&](const ImageRecord& record) {
    if (interrupt.requested()) stopped();
    writer.add(record);
    return true;
  });
  writer.finish();
  out.flush();
  file.commit();
}

std::int64_t export_vectors(const ExportOptions& options, const std::filesystem::path& path, const Library& library,
                            const Interrupt& interrupt) {
  const auto encoder = library.encoder();
  if (!encoder) throw Error(ErrorCode::kNotFound, "the library " + library.dir().string() + " holds no vectors yet");
  if (options.tokens > encoder->stored_tokens) {
    throw UsageError("--tokens " + std::to_string(options.tokens) + ": the library stores " +
                     std::to_string(encoder->stored_tokens) + " per picture");
  }
  // The catalog may change while vectors are written, so the rows are fixed first.
  std::vector<ImageId> ids;
  library.list(filter_of(options), [&](const ImageRecord& record) {
    if (record.token_count > 0) ids.push_back(record.id);
    return true;
  });
  std::unique_ptr<VectorFile> vectors;
  const auto rows = static_cast<std::int64_t>(ids.size());
  if (path.extension() == ".npy") {
    vectors = std::make_unique<NpyFile>(path, rows, options.tokens, encoder->token_width);
  } else {
    vectors = std::make_unique<TensorFile>(path, rows, options.tokens, *encoder);
  }
  OutputFile index(std::filesystem::path(path).replace_extension(".jsonl"));
  for (const ImageId id : ids) {
    if (interrupt.requested()) stopped();
    QueryPart part = library.tokens(id, options.tokens);
    part.tokens.resize(static_cast<std::size_t>(options.tokens) * encoder->token_width, 0.0F);
    vectors->append(part.tokens);
    Json entry = record_json(library.image(id));
    entry["tokens"] = part.token_count;
    index.write(dump(entry) + "\n");
  }
  vectors->finish();
  index.commit();
  return rows;
}

ExitCode run(const ExportOptions& options, Context& context) {
  const std::filesystem::path path = options.output;
  const std::string kind = path.extension().string();
  const bool vectors = kind == ".npy" || kind == ".safetensors";
  if (!vectors && kind != ".jsonl" && kind != ".csv") {
    throw UsageError("the name of the file says what to write: .jsonl, .csv, .npy or .safetensors, not " +
                     path.string());
  }
  const Interrupt interrupt;
  const Library library = open_library(context, OpenMode::kRead);
  if (vectors) {
    const std::int64_t rows = export_vectors(options, path, library, interrupt);
    const std::string index = std::filesystem::path(path).replace_extension(".jsonl").string();
    context.console.note(path.string() + ": " + plural(rows, "picture") + "; row by row in " + index);
  } else {
    write_records(options, kind == ".csv" ? Format::kCsv : Format::kJsonl, library,
                  MarkBook(open_curation(context, OpenMode::kRead)), interrupt);
    context.console.note("wrote " + path.string());
  }
  return ExitCode::kOk;
}

}  // namespace

Command make_export(CLI::App& root) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* app = root.add_subcommand("export", "write records or vectors for other programs")->group("Vectors");
  app->add_option("-o,--output", options->output,
                  "FILE.jsonl or FILE.csv (records), FILE.npy or FILE.safetensors (vectors)")
      ->type_name("FILE")
      ->required();
  app->add_option("--tokens", options->tokens, "vectors: tokens per picture, coarse to fine")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""))
      ->capture_default_str();
  app->add_option("--under", options->under, "only pictures with a file below this folder; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  return {app,
          "Records have the fields of 'tessera list', marks and tags among them. Vectors are float32 [pictures, N, D]; "
          "beside them FILE.jsonl is "
          "written, whose line i is the record of row i. A picture with fewer than N tokens has zeros behind them and "
          "says in \"tokens\" how many are real. The files appear whole or not at all.",
          {{"tessera export -o collection.csv", "Paths, sizes, hashes and states as a table."},
           {"tessera export -o vectors.npy", "One vector per picture for numpy.load(), and vectors.jsonl."},
           {"tessera export -o tokens.safetensors --tokens 16", "Whole token sets."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
