// The jobs behind the page of duplicates: the search, and what the catalog says now of the groups that were found.
#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "jobs/job_runner.h"
#include "tessera/indexer/duplicate_review.h"

namespace tessera::gui {

QString labelText(DuplicateLabel label);

// Throws what find_duplicates() throws. `progress` comes from any thread.
std::vector<DuplicateGroup> search_duplicates(JobContext& context, const std::function<void(double share)>& progress);

std::vector<ReviewedGroup> read_groups(JobContext& context, const std::vector<DuplicateGroup>& groups,
                                       const std::vector<KeepRule>& rules);

}  // namespace tessera::gui
