// The second half of the pipeline: keeps the open segment and the outcomes that wait for it, and commits them together.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "ingest/prepare.h"
#include "store/segment_writer.h"
#include "tessera/indexer/ingest.h"
#include "tessera/token_code.h"

namespace tessera::ingest {

// The name of a segment that no segment of this library ever had.
std::string next_segment_name(catalog::Database& db);

// Commit order: the segment file is written, synced and renamed, then one transaction names it with its images and
// their files. What is committed is final; what is not leaves at most a file that nobody names.
// Thread rule: one thread, which owns the catalog connection given.
class Committer {
 public:
  Committer(catalog::Catalog& catalog, ContentClaims& claims, std::filesystem::path segments_dir,
            const SegmentSpec& spec, int images_per_segment, int first_segment, std::int64_t run, IngestReport& report);

  // An encoded picture with its tokens. Tokens that cannot be stored make it a failure.
  void add_encoded(Prepared&& image, const CodedTokens& tokens);
  // A picture of known content, a failure, or a file that is gone.
  void add_other(Prepared&& outcome);
  // Commits when the open segment is full or the oldest outcome is a minute old.
  void commit_if_due();
  void commit();

 private:
  struct Encoded {
    Prepared file;
    std::int64_t row = 0;
    int token_count = 0;
    ImageId id = 0;
  };
  void write_encoded(const std::string& name, const SegmentSummary& summary);
  void write_failed(const Prepared& file);
  void release_claims();
  std::size_t size() const { return encoded_.size() + others_.size(); }

  catalog::Catalog& catalog_;
  ContentClaims& claims_;
  const std::filesystem::path segments_dir_;
  const SegmentSpec spec_;
  const std::size_t images_per_segment_;
  std::size_t next_segment_;  // pictures of the open segment
  const std::int64_t run_;
  IngestReport& report_;

  std::unique_ptr<SegmentWriter> writer_;  // the open segment
  std::string segment_name_;
  std::vector<Encoded> encoded_;  // its rows
  std::vector<Prepared> others_;
  std::chrono::steady_clock::time_point oldest_;
};

}  // namespace tessera::ingest
