// The jobs behind the page of duplicates: the search, and what the catalog says now of the groups that were found.
#pragma once

#include <QString>
#include <filesystem>
#include <functional>
#include <vector>

#include "jobs/job_runner.h"
#include "tessera/indexer/duplicates.h"
#include "tessera/indexer/file_actions.h"
#include "tessera/indexer/keep_rules.h"

namespace tessera::gui {

struct DuplicateRow {
  ImageId id = 0;
  ContentHash hash;
  std::filesystem::path path;
  int width = 0;
  int height = 0;
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  int rating = 0;
  bool present = true;  // is there and can be read
  bool keep = true;     // say the rules
  QString reason;
};

struct ShownGroup {
  DuplicateLabel label = DuplicateLabel::kExact;
  double certainty = 0;
  std::vector<DuplicateRow> rows;  // as decide_keep() orders them

  std::vector<ImageId> pictures() const;  // each once
  std::vector<ContentPair> pairs() const;
};

QString labelText(DuplicateLabel label);

// Throws what find_duplicates() throws. `progress` comes from any thread.
std::vector<DuplicateGroup> search_duplicates(JobContext& context, const std::function<void(double share)>& progress);

// Without files that are gone, and without groups that are none any more because of that or because a person said so.
std::vector<ShownGroup> read_groups(JobContext& context, const std::vector<DuplicateGroup>& groups,
                                    const std::vector<KeepRule>& rules);

// For each marked file the picture that stays in its place: one of its groups with a file that is not marked. Where all
// files of its groups are marked it is the group's best one, and the engine will refuse.
std::vector<DuplicateFile> files_to_trash(const std::vector<ShownGroup>& groups,
                                          const std::function<bool(const std::filesystem::path&)>& marked);

}  // namespace tessera::gui
