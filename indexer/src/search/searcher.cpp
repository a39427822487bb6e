// Two-stage search over a set of opened segments: coarse recall, then rerank. Knows no catalog.
#include "search/searcher.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "search/calibration.h"
#include "search/query.h"
#include "search/rerank.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::uint32_t kNoPart = ~std::uint32_t{0};

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Membership of image ids; a bit per id, because catalogs number images densely, or a sorted list where they do not.
class IdSet {
 public:
  explicit IdSet(std::span<const ImageId> ids) {
    ImageId largest = 0;
    for (const ImageId id : ids) largest = std::max(largest, id);
    dense_ = static_cast<std::uint64_t>(largest) / 256 <= ids.size() + 4096;
    if (dense_) {
      bits_.resize(static_cast<std::size_t>(largest) + 1);
      for (const ImageId id : ids) {
        if (id > 0) bits_[static_cast<std::size_t>(id)] = true;
      }
    } else {
      sorted_.assign(ids.begin(), ids.end());
      std::sort(sorted_.begin(), sorted_.end());
    }
  }
  bool contains(ImageId id) const {
    if (!dense_) return std::binary_search(sorted_.begin(), sorted_.end(), id);
    return id > 0 && static_cast<std::size_t>(id) < bits_.size() && bits_[static_cast<std::size_t>(id)];
  }

 private:
  bool dense_;
  std::vector<bool> bits_;
  std::vector<ImageId> sorted_;
};

void check_options(const SearchOptions& options) {
  const auto require = [](bool condition, const char* message) {
    if (!condition) throw Error(ErrorCode::kInvalidArgument, message);
  };
  require(options.k >= 1, "a search needs k >= 1");
  require(options.tokens >= 0, "the token budget of a search cannot be negative");
  require(options.candidates >= 0, "the number of candidates of a search cannot be negative");
  require(options.rerank_weight >= 0 && options.rerank_weight <= 1, "the weight of a rerank lies between 0 and 1");
  require(options.precision >= 0 && options.precision < 1, "the precision of a cut lies between 0 and 1");
}

float mixed_score(float coarse, float rerank, const SearchOptions& options) {
  if (options.rerank == RerankMethod::kNone) return coarse;
  const double weight = double(options.rerank_weight);
  return static_cast<float>((1 - weight) * double(coarse) + weight * double(rerank));
}

}  // namespace

struct Searcher::Impl {
  using Masks = std::vector<RowMask>;

  std::vector<SearchPart> parts;
  std::shared_ptr<const CoarseIndex> index;
  SearcherOptions options;
  std::string index_problem;
  Masks live;
  std::int64_t live_count = 0;
  std::vector<std::uint32_t> part_of_stamp;  // index segment -> part
  std::vector<bool> indexed;                 // per part

  void match_index();
  Masks masks_for(const SearchOptions& search, std::optional<std::span<const ImageId>> allowed) const;
  std::vector<ScanSource> sources(const Masks& masks) const;
  CoarseMethod choose(const SearchOptions& search, std::int64_t searchable) const;
  std::vector<ScanHit> exact(std::span<const ScanSource> sources, std::span<const float> vector, int count) const;
  std::optional<std::vector<ScanHit>> by_index(std::span<const ScanSource> sources, const Masks& masks,
                                               std::span<const float> vector, int count) const;
  std::vector<ScanHit> sample(const Masks& masks, std::int64_t searchable) const;
  void calibrate(std::span<const ScanSource> sources, const Masks& masks, const CombinedQuery& query,
                 const SearchOptions& search, SearchResult& result) const;
};

void Searcher::Impl::match_index() {
  indexed.assign(parts.size(), false);
  if (!index) return;
  std::unordered_map<std::uint64_t, std::uint32_t> by_checksum;
  for (std::uint32_t p = 0; p < parts.size(); ++p) by_checksum.emplace(parts[p].segment->checksum(), p);
  for (const SegmentStamp& stamp : index->info().segments) {
    const auto found = by_checksum.find(stamp.checksum);
    if (found == by_checksum.end() || parts[found->second].segment->rows() != stamp.rows ||
        parts[found->second].segment->width() != index->info().width || indexed[found->second]) {
      index_problem = "the coarse index was built from other segments";
      index.reset();
      part_of_stamp.clear();
      indexed.assign(parts.size(), false);
      return;
    }
    part_of_stamp.push_back(found->second);
    indexed[found->second] = true;
  }
}

Searcher::Impl::Masks Searcher::Impl::masks_for(const SearchOptions& search,
                                                std::optional<std::span<const ImageId>> allowed) const {
  Masks masks = live;
  if (search.exclude.empty() && !allowed) return masks;
  const IdSet excluded(search.exclude);
  const std::optional<IdSet> included = allowed ? std::optional<IdSet>(*allowed) : std::nullopt;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    for (std::uint32_t row = 0; row < parts[p].ids.size(); ++row) {
      const ImageId id = parts[p].ids[row];
      if (excluded.contains(id) || (included && !included->contains(id))) clear_row(masks[p], row);
    }
  }
  return masks;
}

std::vector<ScanSource> Searcher::Impl::sources(const Masks& masks) const {
  std::vector<ScanSource> result;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    result.push_back({parts[p].segment.get(), parts[p].ids, &masks[p]});
  }
  return result;
}

CoarseMethod Searcher::Impl::choose(const SearchOptions& search, std::int64_t searchable) const {
  if (search.coarse == CoarseMethod::kExact) return CoarseMethod::kExact;
  if (search.coarse == CoarseMethod::kAuto) {
    return index && searchable > search.exact_limit ? index->info().method : CoarseMethod::kExact;
  }
  if (!index || index->info().method != search.coarse) {
    std::string reason = index_problem.empty() ? "none has been built" : index_problem;
    if (index) reason = std::string("it has one of method ") + coarse_method_name(index->info().method);
    throw Error(ErrorCode::kNotFound, std::string("the library has no coarse index of method ") +
                                          coarse_method_name(search.coarse) + ": " + reason);
  }
  return search.coarse;
}

std::vector<ScanHit> Searcher::Impl::exact(std::span<const ScanSource> from, std::span<const float> vector,
                                           int count) const {
  return exact_scan(from, vector, static_cast<int>(vector.size()), {count, options.threads, options.simd}).front();
}

// The index's proposals scored in f16, merged with an exact scan of the segments newer than it. Nothing if a filter
// left so few of its proposals that an exact scan must answer.
std::optional<std::vector<ScanHit>> Searcher::Impl::by_index(std::span<const ScanSource> from, const Masks& masks,
                                                             std::span<const float> vector, int count) const {
  std::int64_t reachable = 0;
  for (const std::uint32_t part : part_of_stamp) reachable += count_rows(masks[part]);
  const bool filtered = reachable < index->info().rows;
  const double share = std::max<double>(double(reachable), 1) / double(index->info().rows);
  std::function<bool(CoarseRow)> allowed;
  if (filtered) {
    allowed = [&](CoarseRow row) { return row_in_mask(masks[part_of_stamp[row.segment]], row.row); };
  }
  std::vector<ScanHit> hits;
  for (const CoarseRow& row : index->propose(vector, count, allowed, share)) {
    const std::uint32_t part = part_of_stamp[row.segment];
    hits.push_back({parts[part].ids[row.row], part, row.row, 0.0f});
  }
  if (static_cast<std::int64_t>(hits.size()) < std::min<std::int64_t>(count, reachable)) return std::nullopt;
  rescore(from, vector, {count, options.threads, options.simd}, hits);
  std::vector<ScanSource> newer;
  std::vector<std::uint32_t> newer_part;
  for (std::uint32_t p = 0; p < parts.size(); ++p) {
    if (indexed[p]) continue;
    newer.push_back(from[p]);
    newer_part.push_back(p);
  }
  for (ScanHit hit : exact(newer, vector, count)) {
    hit.source = newer_part[hit.source];
    hits.push_back(hit);
  }
  std::sort(hits.begin(), hits.end());
  if (hits.size() > std::size_t(count)) hits.resize(std::size_t(count));
  return hits;
}

// Up to kBackgroundSample of the rows in the masks, at even distances.
std::vector<ScanHit> Searcher::Impl::sample(const Masks& masks, std::int64_t searchable) const {
  const std::int64_t count = std::min<std::int64_t>(searchable, kBackgroundSample);
  std::vector<ScanHit> rows;
  std::int64_t seen = 0;
  const auto next = [&] { return (2 * std::int64_t(rows.size()) + 1) * searchable / (2 * count); };
  for (std::uint32_t p = 0; p < parts.size(); ++p) {
    for (std::uint32_t w = 0; w < masks[p].size(); ++w) {
      std::uint64_t word = masks[p][w];
      const std::int64_t end = seen + std::popcount(word);
      for (; seen < end; ++seen, word &= word - 1) {
        if (seen != next()) continue;
        const std::uint32_t row = w * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
        rows.push_back({parts[p].ids[row], p, row, 0.0f});
        if (std::int64_t(rows.size()) == count) return rows;
      }
    }
  }
  return rows;
}

void Searcher::Impl::calibrate(std::span<const ScanSource> from, const Masks& masks, const CombinedQuery& query,
                               const SearchOptions& search, SearchResult& result) const {
  std::vector<ScanHit> rows = sample(masks, result.searched);
  const std::span<const float> vector = std::span(query.tokens).first(std::size_t(query.width));
  rescore(from, vector, {search.k, options.threads, options.simd}, rows);
  std::vector<float> scores =
      rerank_scores(from, query, rows, {search.rerank, search.tokens, options.threads, options.simd});
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = mixed_score(rows[i].score, scores[i], search);
  const Background background(scores);
  std::vector<double> by_chance;
  for (SearchHit& hit : result.hits) {
    hit.by_chance = double(result.searched) * background.share(hit.score);
    by_chance.push_back(hit.by_chance);
  }
  result.background = static_cast<int>(rows.size());
  if (search.precision == 0) return;
  const std::size_t kept = cut_length(by_chance, search.precision);
  result.cut = kept < result.hits.size() || std::int64_t(kept) == result.searched;
  result.hits.resize(kept);
}

Searcher::Searcher(std::vector<SearchPart> parts, std::shared_ptr<const CoarseIndex> index,
                   const SearcherOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->parts = std::move(parts);
  impl_->index = std::move(index);
  impl_->options = options;
  for (const SearchPart& part : impl_->parts) {
    if (part.ids.size() != part.segment->rows()) {
      throw Error(ErrorCode::kInvalidArgument, part.segment->path().string() + " has " +
                                                   std::to_string(part.segment->rows()) + " rows, not " +
                                                   std::to_string(part.ids.size()));
    }
    if (part.segment->width() != impl_->parts.front().segment->width()) {
      throw Error(ErrorCode::kInvalidArgument, part.segment->path().string() + " has another token width");
    }
    RowMask mask = make_row_mask(part.segment->rows(), true);
    for (std::uint32_t row = 0; row < part.ids.size(); ++row) {
      if (part.ids[row] <= 0) clear_row(mask, row);
    }
    impl_->live_count += count_rows(mask);
    impl_->live.push_back(std::move(mask));
  }
  impl_->match_index();
}

Searcher::~Searcher() = default;

std::int64_t Searcher::images() const noexcept { return impl_->live_count; }

const std::string& Searcher::index_problem() const noexcept { return impl_->index_problem; }

SearchResult Searcher::search(const Query& query, const SearchOptions& options,
                              std::optional<std::span<const ImageId>> allowed) const {
  check_options(options);
  const CombinedQuery combined = combine_query(query);
  if (!impl_->parts.empty() && impl_->parts.front().segment->width() != combined.width) {
    throw Error(ErrorCode::kInvalidArgument, "the query has tokens of width " + std::to_string(combined.width) +
                                                 ", the library of width " +
                                                 std::to_string(impl_->parts.front().segment->width()));
  }
  SearchResult result;
  const auto start = std::chrono::steady_clock::now();
  const Impl::Masks masks = impl_->masks_for(options, allowed);
  for (const RowMask& mask : masks) result.searched += count_rows(mask);
  result.coarse_used = impl_->choose(options, result.searched);
  if (options.precision > 0 && result.searched < kLeastBackground) {
    throw Error(ErrorCode::kInvalidArgument, "an automatic cut needs at least " + std::to_string(kLeastBackground) +
                                                 " pictures to search; there are " + std::to_string(result.searched));
  }
  if (result.searched == 0) return result;

  const std::vector<ScanSource> sources = impl_->sources(masks);
  const std::span<const float> vector = std::span(combined.tokens).first(std::size_t(combined.width));
  int count = options.rerank == RerankMethod::kNone ? options.k : std::max(options.k, options.candidates);
  count = static_cast<int>(std::min<std::int64_t>(count, result.searched));
  std::optional<std::vector<ScanHit>> coarse;
  if (result.coarse_used != CoarseMethod::kExact) coarse = impl_->by_index(sources, masks, vector, count);
  if (!coarse) {
    result.coarse_used = CoarseMethod::kExact;
    coarse = impl_->exact(sources, vector, count);
  }
  result.coarse_ms = milliseconds_since(start);

  const auto rerank_start = std::chrono::steady_clock::now();
  const std::vector<float> scores = rerank_scores(
      sources, combined, *coarse, {options.rerank, options.tokens, impl_->options.threads, impl_->options.simd});
  for (std::size_t rank = 0; rank < coarse->size(); ++rank) {
    const ScanHit& hit = (*coarse)[rank];
    result.hits.push_back(
        {hit.id, mixed_score(hit.score, scores[rank], options), hit.score, scores[rank], static_cast<int>(rank)});
  }
  std::sort(result.hits.begin(), result.hits.end(), [](const SearchHit& a, const SearchHit& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  if (result.hits.size() > std::size_t(options.k)) result.hits.resize(std::size_t(options.k));
  result.rerank_ms = milliseconds_since(rerank_start);

  if ((options.calibrate || options.precision > 0) && result.searched >= kLeastBackground) {
    const auto calibrate_start = std::chrono::steady_clock::now();
    impl_->calibrate(sources, masks, combined, options, result);
    result.calibrate_ms = milliseconds_since(calibrate_start);
  }
  return result;
}

std::size_t likely_related(std::span<const SearchHit> hits, double precision) {
  std::vector<double> by_chance;
  for (const SearchHit& hit : hits) {
    if (std::isnan(hit.by_chance)) return 0;
    by_chance.push_back(hit.by_chance);
  }
  return cut_length(by_chance, precision);
}

}  // namespace tessera
