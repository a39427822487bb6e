// Running an evaluation: sets with their hashes, the encoder over them, and what goes into the report.
#include "eval_run.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>

#include "eval_output.h"
#include "progress.h"
#include "tessera/indexer/eval_random_model.h"
#include "tessera/indexer/output_file.h"
#include "tessera/text.h"
#include "text.h"

namespace tessera::cli {
namespace {

constexpr std::uint64_t kRandomModelSeed = 1;
constexpr std::size_t kFailuresShown = 10;

eval::EvalSet read_labelled(const std::string& folder, const std::string& labels) {
  return labels.empty() ? eval::read_class_folders(folder) : eval::read_label_csv(labels, folder);
}

HashedSet hashed(eval::EvalSet set) {
  if (set.pictures.empty()) {
    throw Error(ErrorCode::kNotFound, "no pictures to measure with in " + set.folder.string());
  }
  std::string hash = eval::data_hash(set);
  return {std::move(set), std::move(hash)};
}

// A folder that is removed at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tessera-eval-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw errno_error("make folder", name, errno);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

EvalSets make_sets(eval::EvalSet queries, std::optional<eval::EvalSet> gallery) {
  EvalSets sets;
  if (gallery) {
    eval::align_names(queries, *gallery);
    sets.gallery = hashed(std::move(*gallery));
  }
  sets.queries = hashed(std::move(queries));
  return sets;
}

EvalSets read_labelled_sets(const LabelledOptions& options) {
  if (options.gallery.empty() && !options.gallery_labels.empty()) {
    throw UsageError("--gallery-labels needs --gallery");
  }
  std::optional<eval::EvalSet> gallery;
  if (!options.gallery.empty()) gallery = read_labelled(options.gallery, options.gallery_labels);
  return make_sets(read_labelled(options.folder, options.labels), std::move(gallery));
}

EvalSets read_boxed_sets(const BoxedOptions& options) {
  if (options.gallery.empty() != options.gallery_boxes.empty()) {
    throw UsageError("--gallery and --gallery-boxes need each other");
  }
  const eval::BoxFormat format = eval::parse_box_format(options.format);
  std::optional<eval::EvalSet> gallery;
  if (!options.gallery.empty()) gallery = eval::read_boxes(options.gallery_boxes, options.gallery, format);
  return make_sets(eval::read_boxes(options.boxes, options.folder, format), std::move(gallery));
}

EvalRun::EvalRun(Context& context, const FeatureOptions& options, bool decoder)
    : context_(context), options_(options), decoder_(decoder) {}
EvalRun::~EvalRun() = default;

Encoder& EvalRun::encoder() {
  if (!encoder_) {
    EncoderOptions load = options_.compute.encoder_options();
    load.load_decoder = decoder_;
    encoder_ = load_encoder(context_, load);
  }
  return *encoder_;
}

Encoder& EvalRun::random_encoder() {
  if (!random_encoder_) {
    const ScratchFolder scratch;
    eval::write_random_model(encoder().info().model_dir, scratch.path(), kRandomModelSeed);
    random_encoder_ = Encoder::load(scratch.path(), options_.compute.encoder_options());
  }
  return *random_encoder_;
}

ResizeSpec EvalRun::resize() {
  if (!options_.resize.empty()) return parse_resize_spec(options_.resize);
  return {ResizeSpec::Mode::kShort, encoder().config().preferred_size, 32};
}

eval::BatchOptions EvalRun::batch_options(const eval::FeatureRequest& request) {
  eval::BatchOptions batch;
  if (request.encoder != nullptr) batch.resize = resize();
  batch.batch = options_.batch;
  batch.threads = options_.compute.threads;
  batch.stop = interrupt_.token();
  const auto start = std::chrono::steady_clock::now();
  const auto progress = std::make_shared<Progress>(context_.console);
  batch.progress = [start, progress](std::size_t done, std::size_t total) {
    ProgressState state;
    state.done = static_cast<std::int64_t>(done);
    state.total = static_cast<std::int64_t>(total);
    state.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress->update(state);
    if (done == total) progress->finish();
  };
  return batch;
}

eval::TokenOptions EvalRun::token_options() {
  eval::TokenOptions tokens;
  tokens.tokens = options_.tokens;
  tokens.summary_slots = encoder().config().summary_slots;
  if (!options_.cache.empty()) tokens.cache = absolute_path(options_.cache);
  return tokens;
}

eval::FeatureRequest EvalRun::request(const std::vector<eval::Descriptor>& descriptors, bool token_sets) {
  eval::FeatureRequest request;
  request.descriptors = descriptors;
  request.token_sets = token_sets;
  request.stored = options_.stored;
  request.weight_power = options_.weight_power;
  bool model = token_sets;
  for (const eval::Descriptor& descriptor : descriptors) {
    model = model || eval::needs_model(descriptor);
    if (descriptor.kind == eval::Descriptor::Kind::kRandom) request.random_encoder = &random_encoder();
  }
  if (model) {
    request.encoder = &encoder();
    request.tokens = token_options();
  }
  return request;
}

eval::FeatureSet EvalRun::features(const HashedSet& set, const std::vector<eval::Descriptor>& descriptors,
                                   bool token_sets) {
  const eval::FeatureRequest wanted = request(descriptors, token_sets);
  eval::FeatureSet made = eval::extract_features(set.set, set.hash, wanted, batch_options(wanted));
  note_failures(set.set, made.failures);
  if (made.pictures.empty()) {
    throw Error(ErrorCode::kIo, "no picture of " + set.set.folder.string() + " could be read");
  }
  return made;
}

// Names them at once: what follows may fail because of them.
void EvalRun::note_failures(const eval::EvalSet& set, const std::vector<eval::Failure>& failures) {
  std::size_t fresh = 0;
  for (const eval::Failure& failure : failures) {
    const std::string text = eval::failure_text(set, failure);
    if (std::find(failures_.begin(), failures_.end(), text) != failures_.end()) continue;
    failures_.push_back(text);
    if (++fresh <= kFailuresShown) context_.console.note("failed: " + text);
  }
  if (fresh > kFailuresShown) {
    context_.console.note("... and " + human_count(static_cast<std::int64_t>(fresh - kFailuresShown)) + " more");
  }
}

ExitCode EvalRun::finish(eval::Report& report, const ReportOptions& options) {
  report.failures = failures_;
  return print_report(context_, report, options);
}

void EvalRun::add_set(eval::Report& report, const std::string& name, const HashedSet& set,
                      const std::vector<eval::Failure>& failures) {
  report.settings.emplace_back(name, to_valid_utf8(set.set.folder.native()));
  report.settings.emplace_back(name + "_pictures",
                               static_cast<std::int64_t>(set.set.pictures.size() - failures.size()));
  report.settings.emplace_back(name + "_hash", set.hash);
}

void EvalRun::add_model(eval::Report& report) {
  if (!encoder_) return;
  const EncoderInfo& info = encoder_->info();
  report.settings.emplace_back("model", info.model_name);
  report.settings.emplace_back("weights_hash", info.weights_hash);
  report.settings.emplace_back("compute", std::string(compute_type_name(info.compute)));
  report.settings.emplace_back("resize", to_string(resize()));
  report.settings.emplace_back("tokens", std::int64_t{options_.tokens});
  report.settings.emplace_back("weight_power", options_.weight_power);
  report.settings.emplace_back("stored", std::string(options_.stored ? "int8" : "f32"));
}

ExitCode print_report(Context& context, const eval::Report& report, const ReportOptions& options) {
  if (options.format == "json") {
    context.out.line(dump(report_json(report), 2));
  } else {
    context.out.write(options.format == "csv" ? report_csv(report) : report_table(report));
  }
  context.out.flush();
  if (!options.out.empty()) write_file_atomically(options.out, dump(report_json(report), 2) + "\n");
  if (report.failures.empty()) return ExitCode::kOk;
  context.console.note(plural(static_cast<std::int64_t>(report.failures.size()), "picture") +
                       " could not be read and took no part");
  return ExitCode::kSomeFailed;
}

MeasuredSides extract_sides(EvalRun& run, const EvalSets& sets, const std::vector<eval::Descriptor>& descriptors,
                            bool token_sets) {
  MeasuredSides sides;
  sides.queries = run.features(sets.queries, descriptors, token_sets);
  if (sets.gallery) sides.gallery = run.features(*sets.gallery, descriptors, token_sets);
  return sides;
}

void add_counts(eval::Report& report, const eval::Measured& measured) {
  report.settings.emplace_back("measured_queries", static_cast<std::int64_t>(measured.queries));
  report.settings.emplace_back("queries_without_match", static_cast<std::int64_t>(measured.without_match));
}

void add_sides(EvalRun& run, eval::Report& report, const EvalSets& sets, const MeasuredSides& sides) {
  run.add_set(report, "set", sets.queries, sides.queries.failures);
  if (sets.gallery) run.add_set(report, "gallery", *sets.gallery, sides.gallery->failures);
}

}  // namespace tessera::cli
