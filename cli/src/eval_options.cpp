// Options that the subcommands of `eval` share: data, features, second stages, samples and output.
#include "eval_options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "checked_by.h"

namespace tessera::cli {
namespace {

// All of the text as a number.
template <typename Number>
bool parse_whole(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

std::string check_report_format(const std::string& text) {
  return text == "table" || text == "json" || text == "csv" ? "" : "'" + text + "' is none of table, json, csv";
}

}  // namespace

void add_labelled_options(CLI::App& app, LabelledOptions& options) {
  app.add_option("FOLDER", options.folder, "the pictures; without --labels a folder for each class")->required();
  app.add_option("--labels", options.labels,
                 "CSV with the columns name (below FOLDER) and label or group, in place of class folders")
      ->type_name("FILE.csv");
  app.add_option("--gallery", options.gallery,
                 "search in these pictures instead of FOLDER itself without the query (leave-one-out)")
      ->type_name("DIR");
  app.add_option("--gallery-labels", options.gallery_labels, "the same as --labels for the gallery")
      ->type_name("FILE.csv");
}

void add_boxed_options(CLI::App& app, BoxedOptions& options) {
  app.add_option("FOLDER", options.folder, "the pictures")->required();
  app.add_option(
         "--boxes", options.boxes,
         "COCO instances .json, a folder of VOC .xml or YOLO .txt, or a .csv with the columns name, category, x, "
         "y, w, h (fractions)")
      ->type_name("PATH")
      ->required();
  app.add_option("--gallery", options.gallery, "search in these pictures instead of FOLDER itself without the query")
      ->type_name("DIR");
  app.add_option("--gallery-boxes", options.gallery_boxes, "the same as --boxes for the gallery")->type_name("PATH");
  app.add_option("--box-format", options.format, "auto, coco, voc, yolo or csv")
      ->type_name("NAME")
      ->check(checked_by([](const std::string& text) { eval::parse_box_format(text); }))
      ->capture_default_str();
}

void add_rerank_options(CLI::App& app, RerankSettings& settings) {
  app.add_option(
         "--rerank", settings.methods,
         "second stages, a row each: aligned:N or maxsim:N with N tokens, or aligned:N:W with the weight W in the "
         "score, the rest being that of the first stage; separated by commas")
      ->type_name("A,B,...")
      ->capture_default_str();
  app.add_option("--candidates", settings.candidates, "results that a second stage puts in order; 0 = all")
      ->type_name("K")
      ->check(CLI::Range(0, 1'000'000'000).description(""))
      ->capture_default_str();
}

void add_precision_option(CLI::App& app, double& precision) {
  app.add_option("--precision", precision, "share of a list that the cut promises to be more than chance")
      ->type_name("P")
      ->check(CLI::Range(0.01, 0.9999).description(""))
      ->capture_default_str();
}

void add_feature_options(CLI::App& app, FeatureOptions& options, bool descriptors) {
  if (descriptors) {
    app.add_option("--descriptor", options.descriptors,
                   "what is compared, one row each: token0, tokens:N (the first N, weighted, joined), summary, and as "
                   "baselines phash, dhash, colorhist, hog, gist, random (untrained weights); separated by commas")
        ->type_name("A,B,...")
        ->check(checked_by([](const std::string& text) { parse_descriptors(text); }))
        ->capture_default_str();
  }
  app.add_option("--tokens", options.tokens, "tokens taken of each picture")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20).description(""))
      ->capture_default_str();
  app.add_option("--resize", options.resize,
                 "how pictures are prepared: short:N, square:N or fit:N (default short:N/32 with the model's size)")
      ->type_name("SPEC")
      ->check(checked_by([](const std::string& text) { parse_resize_spec(text); }));
  app.add_option("--weight-power", options.weight_power, "p of the token weights (1 - i/N)^p; 0 = all alike")
      ->type_name("P")
      ->check(CLI::Range(0.0, 100.0).description(""))
      ->capture_default_str();
  app.add_flag("--stored", options.stored, "use tokens as a library stores them (int8) instead of float32");
  app.add_option("--batch", options.batch, "pictures an encoder call at most")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""))
      ->capture_default_str();
  app.add_option("--cache", options.cache, "keep extracted tokens in this folder and take them from there next time")
      ->type_name("DIR");
  add_compute_options(app, options.compute);
}

void add_measure_options(CLI::App& app, MeasureSettings& settings) {
  app.add_option("--queries", settings.queries, "ask with a random sample of so many pictures (default: with all)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000).description(""));
  app.add_option("--seed", settings.seed, "seed of the sample and of the intervals")
      ->type_name("N")
      ->capture_default_str();
}

eval::MeasureOptions measure_options(const MeasureSettings& settings, const FeatureOptions& features) {
  eval::MeasureOptions options;
  options.queries = static_cast<std::size_t>(settings.queries);
  options.seed = settings.seed;
  options.threads = features.compute.threads;
  return options;
}

eval::MeasureOptions measure_options(const MeasureSettings& settings, const FeatureOptions& features,
                                     const RerankSettings& rerank, std::vector<eval::TokenMatchOptions> matches) {
  eval::MeasureOptions options = measure_options(settings, features);
  options.rerank = std::move(matches);
  options.candidates = static_cast<std::size_t>(rerank.candidates);
  return options;
}

void add_measure_settings(eval::Report& report, const MeasureSettings& settings) {
  report.settings.emplace_back("queries", std::int64_t{settings.queries});
  report.settings.emplace_back("seed", static_cast<std::int64_t>(settings.seed));
}

void add_report_options(CLI::App& app, ReportOptions& options) {
  app.add_option("--format", options.format, "output: table, json or csv")
      ->type_name("FORMAT")
      ->check(check_report_format)
      ->capture_default_str();
  app.add_option("--out", options.out, "also write the report with all settings to this file")->type_name("FILE.json");
}

std::vector<std::string> split_commas(const std::string& text) {
  return text.empty() ? std::vector<std::string>() : split(text, ',');
}

std::vector<int> parse_numbers(const std::string& text, const std::string& option) {
  std::vector<int> numbers;
  for (const std::string& part : split_commas(text)) {
    int number = 0;
    if (!parse_whole(part, number) || number < 1) {
      throw UsageError(option + ": '" + part + "' is no positive number");
    }
    numbers.push_back(number);
  }
  if (numbers.empty()) throw UsageError(option + " names no number");
  return numbers;
}

std::vector<eval::Descriptor> parse_descriptors(const std::string& text) {
  std::vector<eval::Descriptor> descriptors;
  for (const std::string& name : split_commas(text)) descriptors.push_back(eval::parse_descriptor(name));
  if (descriptors.empty()) throw UsageError("no descriptor was given");
  return descriptors;
}

std::vector<eval::TokenMatchOptions> parse_matches(const RerankSettings& settings, const FeatureOptions& features) {
  std::vector<eval::TokenMatchOptions> matches;
  for (const std::string& text : split_commas(settings.methods)) {
    const std::vector<std::string> parts = split(text, ':');
    const std::string& method = parts[0];
    eval::TokenMatchOptions match;
    match.weight_power = features.weight_power;
    match.tokens = features.tokens;
    if (method == "maxsim") match.match = eval::TokenMatch::kMaxSim;
    if ((method != "aligned" && method != "maxsim") || parts.size() > 3) {
      throw UsageError("--rerank '" + text + "': use aligned:N, maxsim:N or aligned:N:W");
    }
    if (parts.size() > 1 && (!parse_whole(parts[1], match.tokens) || match.tokens < 1)) {
      throw UsageError("--rerank '" + text + "': '" + parts[1] + "' is no number of tokens");
    }
    if (parts.size() > 2 && (!parse_whole(parts[2], match.share) || !(match.share >= 0 && match.share <= 1))) {
      throw UsageError("--rerank '" + text + "': '" + parts[2] + "' is no weight between 0 and 1");
    }
    if (match.tokens > features.tokens) {
      throw UsageError("--rerank '" + text + "' needs --tokens " + std::to_string(match.tokens) + " or more");
    }
    matches.push_back(match);
  }
  return matches;
}

}  // namespace tessera::cli
