// tessera dup: duplicates and near copies in groups, verdicts on pairs, and which files could go.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "checked_by.h"
#include "commands.h"
#include "dup_output.h"
#include "interrupt.h"
#include "picture_set.h"
#include "progress.h"
#include "report_actions.h"
#include "resolve.h"
#include "tessera/indexer/duplicate_review.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct DupOptions {
  PictureSetOptions set;
  std::vector<std::string> labels;
  double least_certainty = 0;
  std::vector<std::string> not_duplicates;
  std::vector<std::string> forget;
  std::string keep;
  bool dry_run = false;
  bool trash = false;
};

std::vector<ContentPair> pairs_of(const Library& library, const std::vector<std::string>& pictures) {
  std::vector<ContentHash> contents;
  for (const std::string& picture : pictures) contents.push_back(library.image(find_image(library, picture)).hash);
  std::vector<ContentPair> pairs;
  for (std::size_t a = 0; a < contents.size(); ++a) {
    for (std::size_t b = a + 1; b < contents.size(); ++b) pairs.push_back({contents[a], contents[b]});
  }
  if (pairs.empty()) throw UsageError("a verdict needs at least two pictures");
  return pairs;
}

ExitCode set_verdict(const DupOptions& options, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  const bool ruled_out = !options.not_duplicates.empty();
  const auto pairs = pairs_of(library, ruled_out ? options.not_duplicates : options.forget);
  Curation curation = Curation::open(library.dir(), OpenMode::kWrite);
  const std::int64_t changed =
      curation.set_verdicts(pairs, ruled_out ? std::optional(tessera::Verdict::kNotDuplicate) : std::nullopt);
  context.console.note(plural(changed, "pair") + (ruled_out ? " will not be shown again" : " without a verdict again"));
  return ExitCode::kOk;
}

DuplicateReport search(const DupOptions& options, const Library& library, const std::set<DuplicateLabel>& labels,
                       Context& context) {
  const Interrupt interrupt;
  Progress progress(context.console);
  const auto start = std::chrono::steady_clock::now();
  DuplicateOptions wanted;
  wanted.among = chosen_ids(library, options.set);
  if (!labels.empty()) wanted.least = *labels.rbegin();
  wanted.stop = interrupt.token();
  wanted.ruled_out = ruled_out_pairs(Curation::open(library.dir(), OpenMode::kRead));
  wanted.progress = [&](double share) {
    ProgressState state;
    state.total = 100;
    state.done = static_cast<std::int64_t>(100 * share);
    state.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.update(state);
  };
  DuplicateReport report = find_duplicates(library, wanted);
  std::erase_if(report.groups, [&](const DuplicateGroup& group) {
    return group.certainty < options.least_certainty || (!labels.empty() && !labels.contains(group.label));
  });
  return report;
}

// What the rules let go, to the trash. FileActions looks once more whether the kept file is there and can be read.
ExitCode trash_rest(const DupList& list, const Library& library, Context& context) {
  const auto files = files_to_trash(list.groups, [](const KeepDecision& decision) { return !decision.keep; });
  const Interrupt interrupt;
  Curation curation = Curation::open(library.dir(), OpenMode::kWrite);
  return report_actions(FileActions(curation).trash_duplicates(files, {}, interrupt.token()),
                        "moved to the trash:", context);
}

ExitCode run(const DupOptions& options, Context& context) {
  if (!options.not_duplicates.empty() || !options.forget.empty()) return set_verdict(options, context);
  const bool rules_given = !options.keep.empty();
  if (options.dry_run && !rules_given) throw UsageError("--dry-run belongs to --keep RULES");
  if (options.trash && (!rules_given || options.labels.empty())) {
    throw UsageError("--trash needs --keep RULES and --label for each kind of group that it is meant for");
  }
  const std::vector<KeepRule> rules = parse_keep_rules(rules_given ? options.keep : kStandardKeepRules);
  std::set<DuplicateLabel> labels;
  for (const std::string& label : options.labels) labels.insert(parse_duplicate_label(label));
  const Library library = open_library(context, OpenMode::kRead);
  const DuplicateReport report = search(options, library, labels, context);

  DupList list;
  list.rules_given = rules_given;
  const Curation curation = Curation::open(library.dir(), OpenMode::kRead);
  list.groups = review_duplicates(library, curation, report.groups, rules);
  write_dup(context.out, parse_format(options.set.format), list, current_folder());
  context.out.flush();
  std::string note = plural(static_cast<std::int64_t>(list.groups.size()), "group") + "; " +
                     plural(report.compared, "pair") + " compared";
  if (report.unreadable > 0) note += ", " + plural(report.unreadable, "picture") + " could not be read now";
  context.console.note(note);
  if (!options.set.sheet.empty() || !options.set.open.empty()) {
    show_sheet(context, dup_table(list), "Duplicates", options.set);
  }
  if (options.trash && !options.dry_run) return trash_rest(list, library, context);
  return ExitCode::kOk;
}

}  // namespace

Command make_dup(CLI::App& root) {
  auto options = std::make_shared<DupOptions>();
  CLI::App* app = root.add_subcommand("dup", "find duplicates and near copies")->group("Curate");
  app->add_option("--label", options->labels,
                  "only groups of this kind: exact, re-encoded, edited or scene; may be repeated")
      ->type_name("LABEL")
      ->allow_extra_args(false)
      ->check(checked_by([](const std::string& text) { parse_duplicate_label(text); }));
  app->add_option("--min-certainty", options->least_certainty,
                  "only groups at least this certain: 1 exact, 0.95 re-encoded, 0.75 edited, below same scene")
      ->type_name("C")
      ->check(CLI::Range(0.0, 1.0).description(""));
  CLI::Option* not_duplicates =
      app->add_option("--not", options->not_duplicates, "these pictures are no duplicates of each other, for ever")
          ->type_name("PATH_OR_ID")
          ->expected(2, 1000);
  app->add_option("--forget", options->forget, "take such a verdict back")
      ->type_name("PATH_OR_ID")
      ->expected(2, 1000)
      ->excludes(not_duplicates);
  app->add_option(
         "--keep", options->keep,
         "say by these rules, in their order, which file of a group to keep: resolution, size, oldest, newest, "
         "folder=DIR[:DIR...], rating, format")
      ->type_name("RULES")
      ->check(checked_by([](const std::string& text) { parse_keep_rules(text); }));
  app->add_flag("--trash", options->trash,
                "with --keep and --label: move what may go to the trash; tessera undo brings it back");
  app->add_flag("--dry-run", options->dry_run, "with --keep: only say it, change nothing");
  add_picture_set_options(*app, options->set);
  return {
      app,
      "Groups are sorted by certainty: exact (one content in several files), re-encoded (other size, format or "
      "quality), edited (cropped, turned, mirrored, framed, written over, recoloured), scene (another photograph of "
      "nearly the same). The first time photos are read, so it takes a while.\n\n"
      "With --keep each group shows which file stays and which may go, and why. What is offline or cannot be read "
      "is never proposed to go, and never the reason that another one may. --format paths lists the files that may "
      "go, without --keep all files of the groups.\n\n"
      "--not is remembered by content: the pair never comes back, whatever is moved or indexed again.",
      {{"tessera dup --label exact --label re-encoded", "The groups that are safe to thin out."},
       {"tessera dup --keep rating,resolution,folder=/photos/best --dry-run", "Which files would stay, and why."},
       {"tessera dup --label exact --keep oldest --trash",
        "One file of each content stays, the others go to the trash."},
       {"tessera dup --not 12 4711", "These two only look alike."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
