// The approximate coarse index: opening it and asking it for rows.
#include "search/coarse_index.h"
#include "search/blas_on_demand.h"

#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/impl/IDSelector.h>

#include <algorithm>

#include "search/coarse_index_file.h"
#include "search/coarse_index_impl.h"
#include "tessera/error.h"

namespace tessera {
namespace {

// Past this many rows the recall of a proposal no longer gains from ten times as many as are wanted.
constexpr std::int64_t kWideProposal = 1000;

// A filter that leaves less than this part of the rows is better answered by an exact scan of what it leaves.
constexpr double kDeepest = 16.0;

class RowSelector : public faiss::IDSelector {
 public:
  RowSelector(const CoarseIndex::Impl& index, const std::function<bool(CoarseRow)>& allowed)
      : index_(index), allowed_(allowed) {}
  bool is_member(idx_t label) const override { return allowed_(index_.row_of(index_.order.position(label))); }

 private:
  const CoarseIndex::Impl& index_;
  const std::function<bool(CoarseRow)>& allowed_;
};

}  // namespace

RowOrder::RowOrder(std::int64_t rows, std::int64_t held_out) : first_phase_(rows - held_out) {
  for (std::int64_t i = 0; i < held_out; ++i) held_out_.push_back((2 * i + 1) * rows / (2 * held_out));
}

std::int64_t RowOrder::position(std::int64_t label) const {
  if (label >= first_phase_) return held_out_[static_cast<std::size_t>(label - first_phase_)];
  // Each held-out row before it moves it up by one: the i-th has held_out_[i] - i rows of the first phase before it.
  std::size_t low = 0, high = held_out_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (held_out_[middle] - static_cast<std::int64_t>(middle) <= label) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return label + static_cast<std::int64_t>(low);
}

CoarseIndex::Impl::Impl(std::unique_ptr<faiss::Index> faiss_index, CoarseIndexInfo index_info)
    : index(std::move(faiss_index)), info(std::move(index_info)), order(info.rows, info.held_out) {
  std::int64_t first = 0;
  for (const SegmentStamp& stamp : info.segments) {
    first_position.push_back(first);
    first += stamp.rows;
  }
}

CoarseRow CoarseIndex::Impl::row_of(std::int64_t position) const {
  // Segments without rows share their position with the next one; upper_bound skips them.
  const auto next = std::upper_bound(first_position.begin(), first_position.end(), position);
  const auto segment = static_cast<std::uint32_t>(next - first_position.begin() - 1);
  return {segment, static_cast<std::uint32_t>(position - first_position[segment])};
}

std::vector<std::int64_t> CoarseIndex::Impl::nearest(std::span<const float> query, std::int64_t count, int breadth,
                                                     faiss::IDSelector* selector) const {
  std::vector<float> distances(static_cast<std::size_t>(count));
  std::vector<std::int64_t> labels(static_cast<std::size_t>(count), -1);
  if (info.method == CoarseMethod::kIvfPq) {
    faiss::SearchParametersIVF parameters;
    parameters.nprobe = static_cast<std::size_t>(breadth);
    parameters.sel = selector;
    index->search(1, query.data(), count, distances.data(), labels.data(), &parameters);
  } else {
    faiss::SearchParametersHNSW parameters;
    parameters.efSearch = static_cast<int>(std::max<std::int64_t>(breadth, count));
    index->search(1, query.data(), count, distances.data(), labels.data(), &parameters);
  }
  std::erase_if(labels, [&](std::int64_t label) {
    return label < 0 || label >= info.rows || (selector != nullptr && !selector->is_member(label));
  });
  for (std::int64_t& label : labels) label = order.position(label);
  return labels;
}

std::int64_t CoarseIndex::Impl::proposal_size(int count, int refine) const {
  const std::int64_t wide = std::max<std::int64_t>(kWideProposal, std::int64_t{2} * count);
  return std::min({info.rows, std::int64_t{count} * refine, wide});
}

CoarseIndex::CoarseIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CoarseIndex::~CoarseIndex() = default;

const CoarseIndexInfo& CoarseIndex::info() const noexcept { return impl_->info; }

CoarseIndex::Opened CoarseIndex::open(const std::filesystem::path& path, int width) {
  try {
    CoarseFile file = read_coarse_file(path);
    if (file.info.width != width) {
      return {nullptr, path.string() + " holds vectors of width " + std::to_string(file.info.width) + ", not " +
                           std::to_string(width)};
    }
    load_blas();
    auto impl = std::make_unique<Impl>(std::move(file.index), std::move(file.info));
    return {std::make_shared<const CoarseIndex>(std::move(impl)), ""};
  } catch (const Error& error) {
    return {nullptr, error.what()};
  }
}

std::vector<CoarseRow> CoarseIndex::propose(std::span<const float> query, int count,
                                            const std::function<bool(CoarseRow)>& allowed, double share) const {
  const CoarseIndexInfo& info = impl_->info;
  if (count < 1 || query.size() != static_cast<std::size_t>(info.width) || !(share > 0)) {
    throw Error(ErrorCode::kInvalidArgument, "a coarse query needs the width of the index and a count of at least 1");
  }
  const bool ivf = info.method == CoarseMethod::kIvfPq;
  const double deeper = std::clamp(1.0 / share, 1.0, kDeepest);
  const double breadth = (ivf ? info.probes : info.breadth) * deeper;
  std::int64_t proposals = impl_->proposal_size(count, info.refine);
  // IVF lists are filtered before the nearest are kept, the answer of HNSW only afterwards.
  if (!ivf) proposals = std::min(info.rows, static_cast<std::int64_t>(double(proposals) * deeper));
  RowSelector selector(*impl_, allowed);
  std::vector<CoarseRow> rows;
  for (const std::int64_t position :
       impl_->nearest(query, proposals, static_cast<int>(ivf ? std::min<double>(breadth, info.lists) : breadth),
                      allowed ? &selector : nullptr)) {
    rows.push_back(impl_->row_of(position));
  }
  return rows;
}

}  // namespace tessera
