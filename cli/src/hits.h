// Search results as a table, JSON, CSV or paths (schema: docs/CLI.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "format.h"
#include "output.h"
#include "tessera/indexer/search.h"
#include "tessera/indexer/types.h"

namespace tessera::cli {

// One example of the query, as it was asked.
struct QueryExample {
  std::filesystem::path path;
  float weight = 1;
  std::string region;  // as typed; empty = the whole picture
};

struct HitRow {
  SearchHit hit;
  ImageRecord record;
};

struct HitList {
  std::vector<QueryExample> query;
  std::vector<HitRow> rows;  // best first
  SearchResult result;       // hits may be empty; the rows hold them
  RerankMethod rerank = RerankMethod::kAligned;
  float rerank_weight = 1;
  int tokens = 0;                            // token budget that was used
  double precision = 0;                      // of the automatic cut; 0 = there is none
  std::vector<std::filesystem::path> under;  // as asked: a file below one of these is the one shown
};

// The file of a picture to show: present before offline before missing, below one of `under` if any is.
// The record must have a file.
const FileRecord& shown_file(const ImageRecord& record, const std::vector<std::filesystem::path>& under);

// `folder`: paths below it are shown relative to it in the table.
void write_hits(Output& out, Format format, const HitList& list, const std::filesystem::path& folder);

// An expected number of pictures in few characters: "<0.001", "0.02", "3.1", "120", "-" if it is not known.
std::string by_chance_text(double by_chance);

// "20 of 12,340 pictures; exact scan 3.1 ms, aligned rerank 1.2 ms", and where an automatic cut ended the list.
std::string hits_summary(const HitList& list);

}  // namespace tessera::cli
