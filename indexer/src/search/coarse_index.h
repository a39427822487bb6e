// The approximate coarse index: FAISS IVF-PQ or HNSW over the coarse vectors of segments, in one derived file.
//
// Recall is measured with rows that are not yet in the index, since a row of the index finds its neighbours more easily
// than a new picture does; they are added afterwards. It only proposes rows; the caller scores them in f16 from the
// segments, so no SQ8 copy of the vectors is kept for refining. File: what FAISS writes, then a JSON manifest (method,
// parameters, the segments it was built from, checksum of the FAISS part), then 24 bytes: magic, length and XXH3-64 of
// the manifest. It appears by rename, whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "store/segment.h"
#include "tessera/indexer/search.h"

namespace tessera {

struct SegmentStamp {
  std::uint64_t checksum = 0;  // Segment::checksum()
  std::uint32_t rows = 0;
};

struct CoarseIndexInfo {
  CoarseMethod method = CoarseMethod::kIvfPq;
  int width = 0;
  std::int64_t rows = 0;
  int lists = 0;       // IVF: nlist
  int probes = 0;      // IVF: nprobe that reached the recall target
  int code_bytes = 0;  // IVF: PQ bytes per vector
  int breadth = 0;     // HNSW: efSearch that reached the recall target
  int refine = 0;      // rows proposed per row wanted
  double recall = 0;   // recall@10 of the held-out rows against the exact scan, after scoring in f16
  // Rows that came last, spread evenly over all: the new queries that recall was measured with.
  std::int64_t held_out = 0;
  std::vector<SegmentStamp> segments;
  std::uint64_t file_bytes = 0;
};

struct CoarseBuildOptions {
  double recall_target = 0.95;  // of queries that are not in the index
  int sampled_queries = 200;
  int threads = 0;  // of the exact scan that measures recall; FAISS uses OpenMP's
};

struct CoarseRow {
  std::uint32_t segment = 0;  // index into CoarseIndexInfo::segments
  std::uint32_t row = 0;
};

// Thread rule: const after open(); any thread.
class CoarseIndex {
 public:
  // Builds from every row of the segments, chooses the search breadth by measuring recall, and writes `path`.
  // Throws kInvalidArgument (method, no rows, widths differ), kCancelled, kIo, kDiskFull.
  static CoarseIndexInfo build(const std::filesystem::path& path, CoarseMethod method,
                               std::span<const std::shared_ptr<const Segment>> segments,
                               const CoarseBuildOptions& options = {}, std::stop_token stop = {});

  struct Opened {
    std::shared_ptr<const CoarseIndex> index;  // null if it cannot be used
    std::string reason;                        // then why: absent, damaged, of another width or version
  };
  // IVF lists are mapped, HNSW is read. The checksum of the whole file is compared. A file that cannot be used is no
  // error: the index is derived and can be built again.
  static Opened open(const std::filesystem::path& path, int width);

  struct Impl;
  explicit CoarseIndex(std::unique_ptr<Impl> impl);
  ~CoarseIndex();

  const CoarseIndexInfo& info() const noexcept;

  // About count * refine rows that are likely to hold the `count` best for a unit query, in no particular order. Rows
  // for which `allowed` says no are left out (an empty function allows all); `share` of the index's rows it allows, in
  // (0, 1]: the search goes as much deeper as the filter is narrower. May be fewer.
  std::vector<CoarseRow> propose(std::span<const float> query, int count,
                                 const std::function<bool(CoarseRow)>& allowed = {}, double share = 1.0) const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
