// Options that the subcommands of `eval` share: data, features, second stages, samples and output.
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "resolve.h"
#include "tessera/indexer/eval_measures.h"

namespace tessera::cli {

// Pictures with labels or groups: class folders, or a CSV file.
struct LabelledOptions {
  std::string folder;
  std::string labels;
  std::string gallery;
  std::string gallery_labels;
};
void add_labelled_options(CLI::App& app, LabelledOptions& options);

// Pictures with boxes.
struct BoxedOptions {
  std::string folder;
  std::string boxes;
  std::string gallery;
  std::string gallery_boxes;
  std::string format = "auto";
};
void add_boxed_options(CLI::App& app, BoxedOptions& options);

struct FeatureOptions {
  std::string descriptors = "token0";
  std::string resize;
  int tokens = 16;
  double weight_power = 2;
  bool stored = false;
  int batch = 32;
  std::string cache;
  ComputeOptions compute;
};
// With `descriptors` false --descriptor is left out.
void add_feature_options(CLI::App& app, FeatureOptions& options, bool descriptors = true);

// How many queries, and the seed of samples and intervals.
struct MeasureSettings {
  int queries = 0;
  std::uint64_t seed = 1;
};
void add_measure_options(CLI::App& app, MeasureSettings& settings);
eval::MeasureOptions measure_options(const MeasureSettings& settings,
                                     const FeatureOptions& features);  // no second stage
void add_measure_settings(eval::Report& report, const MeasureSettings& settings);

// Second stages: "aligned:16,maxsim:4:0.5"; without a number all tokens, without a share alone.
struct RerankSettings {
  std::string methods;
  int candidates = 200;
};
void add_rerank_options(CLI::App& app, RerankSettings& settings);
void add_precision_option(CLI::App& app, double& precision);
// Throws UsageError, also for more tokens than are taken.
std::vector<eval::TokenMatchOptions> parse_matches(const RerankSettings& settings, const FeatureOptions& features);
eval::MeasureOptions measure_options(const MeasureSettings& settings, const FeatureOptions& features,
                                     const RerankSettings& rerank, std::vector<eval::TokenMatchOptions> matches);

// --format table|json|csv and --out FILE.json.
struct ReportOptions {
  std::string format = "table";
  std::string out;
};
void add_report_options(CLI::App& app, ReportOptions& options);
// The parts of "a,b,c"; none of "".
std::vector<std::string> split_commas(const std::string& text);
// "1,2,4" -> positive numbers; throws UsageError naming the option.
std::vector<int> parse_numbers(const std::string& text, const std::string& option);
// "a,b,c" -> descriptors; throws UsageError.
std::vector<eval::Descriptor> parse_descriptors(const std::string& text);

}  // namespace tessera::cli
