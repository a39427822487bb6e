// Running an evaluation: sets with their hashes, the encoder over them, and what goes into the report.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "eval_options.h"
#include "interrupt.h"
#include "tessera/indexer/eval_measures.h"

namespace tessera::cli {

// A set with the hash that names it in the report.
struct HashedSet {
  eval::EvalSet set;
  std::string hash;
};
// Set and gallery, if there is one, with labels and categories that agree.
struct EvalSets {
  HashedSet queries;
  std::optional<HashedSet> gallery;
};
EvalSets make_sets(eval::EvalSet queries, std::optional<eval::EvalSet> gallery);
EvalSets read_labelled_sets(const LabelledOptions& options);
EvalSets read_boxed_sets(const BoxedOptions& options);

// Prints the table, writes --out, notes how many pictures failed. kSomeFailed if any did.
ExitCode print_report(Context& context, const eval::Report& report, const ReportOptions& options);

// The encoder that the command line asks for and how it is to be used; loaded only when a descriptor needs it.
class EvalRun {
 public:
  // `decoder`: load it as well, for dense features.
  EvalRun(Context& context, const FeatureOptions& options, bool decoder = false);
  ~EvalRun();

  Context& context() { return context_; }
  // Loads the model at the first call and warns if it is untrained.
  Encoder& encoder();
  eval::BatchOptions batch_options(const eval::FeatureRequest& request);  // with progress, Ctrl-C and resize()
  eval::TokenOptions token_options();                                     // with the model's summary
  ResizeSpec resize();  // as asked for, else short:N/32 with the model's size
  void set_resize(const ResizeSpec& resize) { options_.resize = to_string(resize); }

  // What is to be extracted; loads the model if it takes one.
  eval::FeatureRequest request(const std::vector<eval::Descriptor>& descriptors, bool token_sets);
  // Names pictures that failed. Throws kIo if all did.
  eval::FeatureSet features(const HashedSet& set, const std::vector<eval::Descriptor>& descriptors, bool token_sets);

  // Names pictures that failed, each once, and keeps them for finish().
  void note_failures(const eval::EvalSet& set, const std::vector<eval::Failure>& failures);

  // Adds to a report: the set and how many of its pictures took part.
  void add_set(eval::Report& report, const std::string& name, const HashedSet& set,
               const std::vector<eval::Failure>& failures);
  // Adds to a report: model, weights, resize, tokens and so on, if a model was used.
  void add_model(eval::Report& report);

  // print_report() with all pictures that failed.
  ExitCode finish(eval::Report& report, const ReportOptions& options);

 private:
  Encoder& random_encoder();

  Context& context_;
  FeatureOptions options_;
  bool decoder_;
  Interrupt interrupt_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Encoder> random_encoder_;
  std::vector<std::string> failures_;
};

// The features of both sets.
struct MeasuredSides {
  eval::FeatureSet queries;
  std::optional<eval::FeatureSet> gallery;

  eval::Sides view(const EvalSets& sets) const {
    eval::Sides sides{{sets.queries.set, queries}, std::nullopt};
    if (gallery) sides.gallery.emplace(eval::Side{sets.gallery->set, *gallery});
    return sides;
  }
};
MeasuredSides extract_sides(EvalRun& run, const EvalSets& sets, const std::vector<eval::Descriptor>& descriptors,
                            bool token_sets);
void add_counts(eval::Report& report, const eval::Measured& measured);
void add_sides(EvalRun& run, eval::Report& report, const EvalSets& sets, const MeasuredSides& sides);

}  // namespace tessera::cli
