// What opening and building a coarse index share. Internal: names FAISS types.
#pragma once

#include <faiss/Index.h>
#include <faiss/impl/IDSelector.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "search/coarse_index.h"

namespace tessera {

struct CoarseIndex::Impl {
  Impl(std::unique_ptr<faiss::Index> faiss_index, CoarseIndexInfo index_info);

  // A position is the number of a row, counted through the segments in order.
  CoarseRow row_of(std::int64_t position) const;
  // Positions of about the `count` nearest rows with this nprobe or efSearch.
  std::vector<std::int64_t> nearest(std::span<const float> query, std::int64_t count, int breadth,
                                    faiss::IDSelector* selector) const;
  std::int64_t proposal_size(int count, int refine) const;

  std::unique_ptr<faiss::Index> index;
  CoarseIndexInfo info;
  std::vector<std::int64_t> first_position;  // per segment
};

}  // namespace tessera
