// tessera eval probe: linear classifiers over tokens for labels, and over dense features for masks or boxes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>

#include "checked_by.h"
#include "cmd_eval.h"
#include "eval_run.h"
#include "tessera/indexer/eval_segmentation.h"

namespace tessera::cli {
namespace {

// Pictures with what a classifier is to say of them.
struct ProbeData {
  std::string folder;
  std::string labels;
  std::string boxes;
  std::string masks;
};

struct ProbeCommandOptions {
  ProbeData test;
  ProbeData training;  // empty folder: a part of `test`
  std::string box_format = "auto";
  std::vector<int> ignored = {255};
  std::string groups;
  double share = 0.5;
  std::string token_counts = "1,2,4,8,16";
  int patches = 0;
  eval::ProbeOptions probe;
  FeatureOptions features;
  ReportOptions report;
};

bool of_patches(const ProbeCommandOptions& options) {
  return !options.test.boxes.empty() || !options.test.masks.empty();
}

void check_options(const ProbeCommandOptions& options) {
  const ProbeData &test = options.test, &training = options.training;
  const int kinds = int(!test.labels.empty()) + int(!test.boxes.empty()) + int(!test.masks.empty());
  if (kinds > 1) throw UsageError("--labels, --boxes and --masks exclude each other");
  if (training.folder.empty()) {
    if (!training.labels.empty() || !training.boxes.empty() || !training.masks.empty()) {
      throw UsageError("--train-labels, --train-boxes and --train-masks need --train");
    }
  } else {
    if (!options.groups.empty()) throw UsageError("--groups is for a split of FOLDER, not with --train");
    if (training.boxes.empty() != test.boxes.empty() || training.masks.empty() != test.masks.empty()) {
      throw UsageError("--train needs --train-boxes beside --boxes, --train-masks beside --masks");
    }
    if (of_patches(options) && !training.labels.empty()) throw UsageError("--train-labels is for labels");
  }
  if (of_patches(options) && options.features.stored) {
    throw UsageError("--stored is for labels: the decoder takes tokens as they come");
  }
}

// Pictures, and their masks if there are any.
struct ProbeSet {
  HashedSet pictures;
  std::optional<HashedSet> masks;
};
struct ProbeSets {
  ProbeSet test;
  std::optional<ProbeSet> training;
};

struct ReadData {
  eval::EvalSet pictures;
  std::optional<HashedSet> masks;
};

ReadData read_data(const ProbeData& data, eval::BoxFormat format) {
  if (!data.boxes.empty()) return {eval::read_boxes(data.boxes, data.folder, format), std::nullopt};
  if (data.masks.empty()) {
    return {
        data.labels.empty() ? eval::read_class_folders(data.folder) : eval::read_label_csv(data.labels, data.folder),
        std::nullopt};
  }
  eval::MaskedSet read = eval::read_masks(data.masks, data.folder);
  std::string hash = eval::data_hash(read.masks);
  return {std::move(read.pictures), HashedSet{std::move(read.masks), std::move(hash)}};
}

ProbeSets read_sets(const ProbeCommandOptions& options) {
  const eval::BoxFormat format = eval::parse_box_format(options.box_format);
  ReadData test = read_data(options.test, format);
  ReadData training;
  std::optional<eval::EvalSet> others;
  if (!options.training.folder.empty()) {
    training = read_data(options.training, format);
    others = std::move(training.pictures);
  }
  EvalSets made = make_sets(std::move(test.pictures), std::move(others));
  ProbeSets sets{{std::move(made.queries), std::move(test.masks)}, std::nullopt};
  if (made.gallery) sets.training = ProbeSet{std::move(*made.gallery), std::move(training.masks)};
  return sets;
}

// The group of each of these pictures by --groups; "" = a group of its own.
std::vector<std::string> groups_of(const ProbeCommandOptions& options, const eval::EvalSet& set,
                                   const std::vector<std::size_t>& pictures) {
  std::map<std::string, std::string> by_name;
  if (!options.groups.empty()) {
    const eval::EvalSet grouped = eval::read_label_csv(options.groups, options.test.folder);
    for (const eval::Picture& picture : grouped.pictures) {
      by_name[picture.name] = grouped.labels[static_cast<std::size_t>(picture.label)];
    }
  }
  std::vector<std::string> groups;
  for (const std::size_t picture : pictures) groups.push_back(by_name[set.pictures[picture].name]);
  return groups;
}

eval::ProbeSplit split_of(const ProbeCommandOptions& options, const eval::EvalSet& set,
                          const std::vector<std::size_t>& pictures) {
  std::vector<int> labels;
  for (const std::size_t picture : pictures) labels.push_back(set.pictures[picture].label);
  return eval::probe_split(labels, groups_of(options, set, pictures), options.share, options.probe.seed);
}

std::vector<std::size_t> all_pictures(const eval::EvalSet& set) {
  std::vector<std::size_t> pictures(set.pictures.size());
  std::iota(pictures.begin(), pictures.end(), std::size_t{0});
  return pictures;
}

void add_probe_settings(eval::Report& report, const ProbeCommandOptions& options, bool split) {
  if (split) report.settings.emplace_back("train_share", options.share);
  report.settings.emplace_back("penalty", options.probe.penalty);
  report.settings.emplace_back("iterations", std::int64_t{options.probe.iterations});
  report.settings.emplace_back("seed", static_cast<std::int64_t>(options.probe.seed));
}

void probe_labels(const ProbeCommandOptions& options, const ProbeSets& sets, EvalRun& run, eval::Report& report) {
  const std::vector<eval::Descriptor> descriptors = parse_descriptors(options.features.descriptors);
  const HashedSet& set = sets.test.pictures;
  MeasuredSides sides;
  sides.queries = run.features(set, descriptors, false);
  if (sets.training) sides.gallery = run.features(sets.training->pictures, descriptors, false);
  eval::Sides view{{set.set, sides.queries}, std::nullopt};
  eval::ProbeSplit split;
  if (sets.training) {
    view.gallery.emplace(eval::Side{sets.training->pictures.set, *sides.gallery});
  } else {
    split = split_of(options, set.set, sides.queries.pictures);
  }
  run.add_set(report, "set", set, sides.queries.failures);
  if (sets.training) run.add_set(report, "training", sets.training->pictures, sides.gallery->failures);
  run.add_model(report);
  const eval::Measured measured = eval::probe_labels(view, split, options.probe);
  const std::size_t trained = sets.training ? sides.gallery->pictures.size() : split.training.size();
  report.settings.emplace_back("trained_pictures", static_cast<std::int64_t>(trained));
  report.settings.emplace_back("measured_pictures", static_cast<std::int64_t>(measured.queries));
  eval::add_measured(report, measured);
}

void add_mask_hash(eval::Report& report, const std::string& name, const ProbeSet& set) {
  if (set.masks) report.settings.emplace_back(name + "_masks_hash", set.masks->hash);
}

void probe_patches(const ProbeCommandOptions& options, const ProbeSets& sets, EvalRun& run, eval::Report& report) {
  const auto side_of = [](const ProbeSet& set, std::vector<std::size_t> pictures) {
    return eval::SegmentationSide{set.pictures.set, set.masks ? &set.masks->set : nullptr, std::move(pictures)};
  };
  const HashedSet& set = sets.test.pictures;
  std::vector<std::size_t> trained, tested = all_pictures(set.set);
  if (sets.training) {
    trained = all_pictures(sets.training->pictures.set);
  } else {
    eval::ProbeSplit split = split_of(options, set.set, tested);
    trained = std::move(split.training);
    tested = std::move(split.test);
  }
  eval::SegmentationRequest request;
  request.encoder = &run.encoder();
  request.decode = [&run](const EncodedBatch& encoded) { return run.encoder().decode(encoded); };
  request.token_counts = parse_numbers(options.token_counts, "--token-counts");
  request.ignored = options.ignored;
  request.patches = static_cast<std::size_t>(options.patches);
  eval::FeatureRequest encoding;  // for the size and the progress
  encoding.encoder = request.encoder;
  const eval::SegmentationResult result =
      eval::probe_segmentation(side_of(sets.training ? *sets.training : sets.test, trained), side_of(sets.test, tested),
                               request, options.probe, run.batch_options(encoding));
  const HashedSet& training = sets.training ? sets.training->pictures : set;
  run.note_failures(training.set, result.training_failures);
  run.note_failures(set.set, result.test_failures);
  std::vector<eval::Failure> failures = result.test_failures;
  if (!sets.training) {
    failures.insert(failures.end(), result.training_failures.begin(), result.training_failures.end());
  }
  run.add_set(report, "set", set, failures);
  add_mask_hash(report, "set", sets.test);
  if (sets.training) {
    run.add_set(report, "training", training, result.training_failures);
    add_mask_hash(report, "training", *sets.training);
  }
  run.add_model(report);
  for (const auto& [name, count] : {std::pair("trained_pictures", trained.size() - result.training_failures.size()),
                                    {"trained_patches", result.training_patches},
                                    {"measured_pictures", result.measured.queries},
                                    {"pictures_without_class", result.measured.without_match},
                                    {"classes", static_cast<std::size_t>(result.classes)}}) {
    report.settings.emplace_back(name, static_cast<std::int64_t>(count));
  }
  report.settings.emplace_back("patches", std::int64_t{options.patches});
  eval::add_measured(report, result.measured, "features");
}

ExitCode run(ProbeCommandOptions options, Context& context) {
  check_options(options);
  options.probe.threads = options.features.compute.threads;
  const bool patches = of_patches(options);
  if (patches) {  // all tokens that are decoded are encoded
    const std::vector<int> counts = parse_numbers(options.token_counts, "--token-counts");
    options.features.tokens = *std::max_element(counts.begin(), counts.end());
  }
  const ProbeSets sets = read_sets(options);
  EvalRun run(context, options.features, patches);
  eval::Report report;
  report.measure = !patches ? "probe labels" : sets.test.masks ? "probe masks" : "probe boxes";
  if (patches) {
    probe_patches(options, sets, run, report);
  } else {
    probe_labels(options, sets, run, report);
  }
  add_probe_settings(report, options, !sets.training);
  return run.finish(report, options.report);
}

void add_data_options(CLI::App& app, ProbeCommandOptions& options) {
  app.add_option("FOLDER", options.test.folder, "the pictures; without the next three a folder for each class")
      ->required();
  app.add_option("--labels", options.test.labels, "CSV with the columns name (below FOLDER) and label or group")
      ->type_name("FILE.csv");
  app.add_option("--boxes", options.test.boxes, "boxes as 'tessera eval comp' takes them")->type_name("PATH");
  app.add_option("--masks", options.test.masks,
                 "a folder of grey or palette PNGs, a class each pixel, named as the pictures but for the ending")
      ->type_name("DIR");
  app.add_option("--box-format", options.box_format, "auto, coco, voc, yolo or csv")
      ->type_name("NAME")
      ->check(checked_by([](const std::string& text) { eval::parse_box_format(text); }))
      ->capture_default_str();
  app.add_option("--ignore", options.ignored, "values of masks that do not count; separated by commas")
      ->type_name("N,N,...")
      ->delimiter(',')
      ->check(CLI::Range(0, 255).description(""))
      ->capture_default_str();
  app.add_option("--train", options.training.folder, "train on these pictures and test with all of FOLDER")
      ->type_name("DIR");
  app.add_option("--train-labels", options.training.labels, "the same as --labels for --train")->type_name("FILE.csv");
  app.add_option("--train-boxes", options.training.boxes, "the same as --boxes for --train")->type_name("PATH");
  app.add_option("--train-masks", options.training.masks, "the same as --masks for --train")->type_name("DIR");
  app.add_option("--train-share", options.share, "without --train: share of FOLDER, of each label, to train on")
      ->type_name("S")
      ->check(CLI::Range(0.01, 0.99).description(""))
      ->capture_default_str();
  app.add_option("--groups", options.groups,
                 "CSV with the columns name and group: pictures of a group stay on one side of the split")
      ->type_name("FILE.csv");
}

void add_training_options(CLI::App& app, ProbeCommandOptions& options) {
  app.add_option("--token-counts", options.token_counts,
                 "boxes, masks: numbers of tokens that are decoded; separated by commas")
      ->type_name("A,B,...")
      ->capture_default_str();
  app.add_option("--patches", options.patches, "boxes, masks: train on a sample of each picture's patches; 0 = all")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000'000).description(""))
      ->capture_default_str();
  app.add_option("--penalty", options.probe.penalty, "L2 penalty of the weights, on features of deviation 1")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1e6).description(""))
      ->capture_default_str();
  app.add_option("--iterations", options.probe.iterations, "steps of the training at most")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  app.add_option("--seed", options.probe.seed, "seed of the split, of samples and of the intervals")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace

Command make_eval_probe(CLI::App& eval) {
  auto options = std::make_shared<ProbeCommandOptions>();
  CLI::App* app = eval.add_subcommand("probe", "linear probe: labels, or the class of each patch");
  add_data_options(*app, *options);
  add_training_options(*app, *options);
  add_feature_options(*app, options->features);
  add_report_options(*app, options->report);
  return {
      app,
      "Trains a linear classifier (logistic regression) on some pictures and says how often it is right on the "
      "others, with 95 % intervals.\n\n"
      "Labels: over each --descriptor. Boxes and masks: over the dense features that the decoder makes of the first "
      "tokens, a row for each of --token-counts, a class for each patch of 16 x 16 pixels; mIoU is the mean over the "
      "classes of intersection over union, right the share of patches. With boxes a patch has the class of the "
      "smallest box around its centre, or none of them, which is a class too. Beside them: the colours and gradients "
      "of the patch's pixels (cell), and the most frequent class (majority).",
      {{"tessera eval probe ADE20K/images/validation --masks ADE20K/annotations/validation --ignore 0 --train "
        "ADE20K/images/training --train-masks ADE20K/annotations/training --patches 64",
        "The paper's measure on ADE20K."},
       {"tessera eval probe JPEGImages/ --boxes Annotations/", "VOC's boxes; half of the pictures are trained on."},
       {"tessera eval probe photos/ --labels photos.csv --descriptor token0,gist",
        "Labels; a hand-made descriptor beside token 0."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
