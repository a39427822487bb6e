// Two-stage search over a set of opened segments: coarse recall, then rerank. Knows no catalog.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "search/coarse_index.h"
#include "search/exact_scan.h"
#include "store/segment.h"
#include "tessera/indexer/search.h"

namespace tessera {

struct SearchPart {
  std::shared_ptr<const Segment> segment;
  std::vector<ImageId> ids;  // per row; 0 or less = deleted
};

struct SearcherOptions {
  int threads = 0;  // 0 = usable_threads()
  SimdLevel simd = best_simd_level();
};

// An image id may occur in one row only. All segments have one width.
// Thread rule: const after construction; any thread, several at once.
class Searcher {
 public:
  // `index` may be null; one that was built from a segment that is not among the parts is not used.
  // Throws kInvalidArgument if the number of ids is not that of rows, or widths differ.
  Searcher(std::vector<SearchPart> parts, std::shared_ptr<const CoarseIndex> index = nullptr,
           const SearcherOptions& options = {});
  ~Searcher();

  std::int64_t images() const noexcept;  // that are not deleted
  // Why the index given is not used; empty if it is, or none was given.
  const std::string& index_problem() const noexcept;

  // SearchOptions::under is the caller's to resolve: with `allowed` only these images are returned, in any order of
  // ids. Throws kInvalidArgument for a bad query or option, kNotFound if options.coarse names an index that is not
  // there.
  SearchResult search(const Query& query, const SearchOptions& options,
                      std::optional<std::span<const ImageId>> allowed = std::nullopt) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
