// How often the stages of a library's own search find what an exhaustive comparison of all tokens would.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <unordered_set>

#include "eval/random.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_recall.h"

namespace tessera::eval {
namespace {

std::vector<ImageId> encoded_images(const Library& library) {
  std::vector<ImageId> ids;
  library.list({}, [&](const ImageRecord& image) {
    const bool there = std::any_of(image.files.begin(), image.files.end(),
                                   [](const FileRecord& file) { return file.state != FileState::kMissing; });
    if (image.token_count > 0 && there) ids.push_back(image.id);
    return true;
  });
  return ids;
}

// How much of the first k of `truth` is among the first k hits.
double share_found(const std::vector<SearchHit>& hits, const std::vector<SearchHit>& truth, int k) {
  const std::size_t wanted = std::min(static_cast<std::size_t>(k), truth.size());
  std::unordered_set<ImageId> best;
  for (std::size_t i = 0; i < wanted; ++i) best.insert(truth[i].id);
  std::size_t found = 0;
  for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(k), hits.size()); ++i) found += best.count(hits[i].id);
  return wanted == 0 ? 1 : double(found) / double(wanted);
}

class Measurement {
 public:
  Measurement(const Library& library, const RecallOptions& options)
      : library_(library), options_(options), images_(encoded_images(library)) {
    if (images_.size() < 2) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the library " + library.dir().string() + " has too few pictures to measure recall with");
    }
    for (const int k : options.at) most_ = std::max(most_, k);
    figures_.images = static_cast<std::int64_t>(images_.size());
    figures_.rows.push_back({});
    for (const int candidates : options.candidates) figures_.rows.push_back({candidates, {}, {}});
    for (RecallRow& row : figures_.rows) row.recall.resize(options.at.size());
  }

  RecallFigures run() {
    const std::vector<std::size_t> places = sample(images_.size(), options_.queries, options_.seed);
    warm_up(images_[places.front()]);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (options_.stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
      measure(images_[places[i]]);
      if (options_.progress) options_.progress(i + 1, places.size());
    }
    figures_.queries = places.size();
    return std::move(figures_);
  }

 private:
  SearchOptions search_options(ImageId query) const {
    SearchOptions search;
    search.k = most_;
    search.tokens = options_.tokens;
    search.rerank = options_.rerank;
    search.rerank_weight = options_.rerank_weight;
    search.exclude = {query};
    return search;
  }

  Query query_of(ImageId id) const {
    Query query;
    query.parts = {library_.tokens(id)};
    query.width = library_.encoder()->token_width;
    return query;
  }

  // Segments are mapped and the index is opened at the first search.
  void warm_up(ImageId id) const {
    SearchOptions search = search_options(id);
    search.coarse = options_.coarse;
    library_.search(query_of(id), search);
  }

  std::vector<SearchHit> timed(const Query& query, const SearchOptions& search, std::vector<double>& milliseconds,
                               CoarseMethod* used = nullptr) const {
    const auto start = std::chrono::steady_clock::now();
    SearchResult result = library_.search(query, search);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    milliseconds.push_back(elapsed.count());
    if (used != nullptr) *used = result.coarse_used;
    return std::move(result.hits);
  }

  void measure(ImageId id) {
    const Query query = query_of(id);
    SearchOptions search = search_options(id);
    search.coarse = CoarseMethod::kExact;
    search.candidates = static_cast<int>(std::min<std::size_t>(images_.size(), 1u << 30));
    const std::vector<SearchHit> truth = timed(query, search, figures_.exhaustive_ms);
    search.coarse = options_.coarse;
    for (RecallRow& row : figures_.rows) {
      search.rerank = row.candidates == 0 ? RerankMethod::kNone : options_.rerank;
      search.candidates = row.candidates;
      const std::vector<SearchHit> hits = timed(query, search, row.milliseconds, &figures_.coarse_used);
      for (std::size_t i = 0; i < options_.at.size(); ++i) {
        row.recall[i].push_back(share_found(hits, truth, options_.at[i]));
      }
    }
  }

  const Library& library_;
  const RecallOptions& options_;
  std::vector<ImageId> images_;
  int most_ = 1;
  RecallFigures figures_;
};

}  // namespace

RecallFigures measure_recall(const Library& library, const RecallOptions& options) {
  if (options.at.empty() || *std::min_element(options.at.begin(), options.at.end()) < 1) {
    throw Error(ErrorCode::kInvalidArgument, "recall needs at least one k, each at least 1");
  }
  return Measurement(library, options).run();
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * double(values.size()));
  return values[static_cast<std::size_t>(std::clamp(rank, 1.0, double(values.size()))) - 1];
}

}  // namespace tessera::eval
