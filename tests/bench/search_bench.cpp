// Two-stage search of a synthetic library: latency per rerank method, bytes per image, time from opening to the first
// answer; recall and latency of the approximate coarse indexes.
//
// search_bench [--images N] [--width D] [--tokens N] [--queries Q] [--hnsw-images N] [--no-indexes] [--folder DIR];
// JSON on stdout.
#include <faiss/IndexScalarQuantizer.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "search/parallel.h"
#include "search/searcher.h"
#include "search_bench_util.h"

namespace {

using namespace tessera;
using nlohmann::json;

struct Options {
  std::int64_t images = 100'000;
  int width = 768;
  int tokens = 16;
  int queries = 300;
  std::int64_t hnsw_images = 20'000;
  bool indexes = true;
  std::string folder = std::filesystem::temp_directory_path();
};

using Segments = std::vector<std::shared_ptr<const Segment>>;

std::vector<SearchPart> parts_of(const Segments& segments) {
  std::vector<SearchPart> parts;
  ImageId id = 1;
  for (const auto& segment : segments) {
    SearchPart part{segment, {}};
    for (std::uint32_t row = 0; row < segment->rows(); ++row) part.ids.push_back(id++);
    parts.push_back(std::move(part));
  }
  return parts;
}

double aligned_score(const Segment& segment, std::uint32_t row, const std::vector<float>& tokens) {
  const auto width = static_cast<std::size_t>(segment.width());
  double sum = 0, weights = 0;
  for (int t = 0; t < segment.token_count(row); ++t) {
    const double w = std::pow(1.0 - double(t) / segment.max_tokens(), 2);
    std::vector<float> stored(width);
    decode_token_record(segment.token_records(row) + std::size_t(t) * token_record_bytes(segment.width()), stored);
    const std::vector<float> wanted = bench::unit({tokens.begin() + std::ptrdiff_t(std::size_t(t) * width),
                                                   tokens.begin() + std::ptrdiff_t(std::size_t(t + 1) * width)});
    double dot = 0;
    for (std::size_t i = 0; i < width; ++i) dot += double(wanted[i]) * stored[i];
    sum += w * dot;
    weights += w;
  }
  return sum / weights;
}

// One query by plain arithmetic over everything: the 200 best by token 0, then the score of both stages.
void validate(const Searcher& searcher, const Segments& segments, const std::vector<float>& tokens, int count) {
  const int width = segments.front()->width();
  const std::vector<float> query = bench::unit({tokens.begin(), tokens.begin() + width});
  struct Row {
    double score;
    ImageId id;
    std::size_t segment;
    std::uint32_t row;
  };
  std::vector<Row> rows;
  std::vector<float> v(static_cast<std::size_t>(width));
  ImageId id = 1;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    for (std::uint32_t row = 0; row < segments[s]->rows(); ++row, ++id) {
      segments[s]->decode_coarse(row, v);
      double dot = 0;
      for (std::size_t i = 0; i < v.size(); ++i) dot += double(query[i]) * v[i];
      rows.push_back({-dot, id, s, row});
    }
  }
  const auto before = [](const Row& a, const Row& b) { return a.score != b.score ? a.score < b.score : a.id < b.id; };
  std::partial_sort(rows.begin(), rows.begin() + 200, rows.end(), before);
  rows.resize(200);
  const SearchOptions options;
  const double weight = double(options.rerank_weight);
  for (Row& row : rows) {
    row.score = (1 - weight) * row.score - weight * aligned_score(*segments[row.segment], row.row, tokens);
  }
  std::sort(rows.begin(), rows.end(), before);
  const SearchResult result = searcher.search({{{tokens, count, 1.0f}}, width}, options);
  for (std::size_t i = 0; i < result.hits.size(); ++i) {
    bench::require(std::fabs(result.hits[i].score + rows[i].score) < 3e-4, "score at rank " + std::to_string(i));
  }
  bench::require(result.hits.front().id == rows.front().id, "the best hit");
}

json latency(const std::vector<double>& ms) {
  return {{"p50_ms", bench::quantile(ms, 0.5)}, {"p99_ms", bench::quantile(ms, 0.99)}};
}

json time_search(const Searcher& searcher, const std::vector<Query>& queries, SearchOptions options) {
  std::vector<double> total, coarse, rerank;
  for (const Query& query : queries) {
    SearchResult result;
    total.push_back(bench::milliseconds([&] { result = searcher.search(query, options); }));
    coarse.push_back(result.coarse_ms);
    rerank.push_back(result.rerank_ms);
  }
  return {{"total", latency(total)}, {"coarse", latency(coarse)}, {"rerank", latency(rerank)}};
}

double time_to_first_answer(const Segments& known, const Query& query) {
  std::vector<std::filesystem::path> paths;
  for (const auto& segment : known) {
    paths.push_back(segment->path());
  }
  return bench::milliseconds([&] {
    Segments segments;
    for (const auto& path : paths) segments.push_back(Segment::open(path));
    const Searcher searcher(parts_of(segments));
    bench::require(!searcher.search(query, {}).hits.empty(), "first answer");
  });
}

double recall(const Searcher& searcher, const std::vector<Query>& queries, CoarseMethod method, int k) {
  SearchOptions exact;
  exact.rerank = RerankMethod::kNone;
  exact.k = k;
  exact.coarse = CoarseMethod::kExact;
  SearchOptions approximate = exact;
  approximate.coarse = method;
  std::size_t found = 0, wanted = 0;
  for (const Query& query : queries) {
    std::set<ImageId> truth;
    for (const SearchHit& hit : searcher.search(query, exact).hits) truth.insert(hit.id);
    for (const SearchHit& hit : searcher.search(query, approximate).hits) found += truth.count(hit.id);
    wanted += truth.size();
  }
  return double(found) / double(wanted);
}

json measure_index(const std::filesystem::path& folder, const Segments& segments, const std::vector<Query>& queries,
                   CoarseMethod method) {
  const auto path = folder / (std::string(coarse_method_name(method)) + ".faiss");
  CoarseIndexInfo info;
  const double build_ms = bench::milliseconds([&] { info = CoarseIndex::build(path, method, segments); });
  CoarseIndex::Opened opened;
  const double open_ms = bench::milliseconds([&] { opened = CoarseIndex::open(path, info.width); });
  bench::require(opened.index != nullptr, opened.reason);
  const Searcher searcher(parts_of(segments), opened.index);
  SearchOptions options;
  options.coarse = method;
  options.k = 10;
  options.rerank = RerankMethod::kNone;
  json result{{"images", info.rows},
              {"lists", info.lists},
              {"probes", info.probes},
              {"code_bytes", info.code_bytes},
              {"breadth", info.breadth},
              {"refine", info.refine},
              {"build_s", build_ms / 1000},
              {"open_ms", open_ms},
              {"bytes_per_image", double(info.file_bytes) / double(info.rows)},
              {"recall_at_10_when_built", info.recall},
              {"recall_at_10", recall(searcher, queries, method, 10)},
              {"recall_at_200", recall(searcher, queries, method, 200)}};
  result["top_10"] = time_search(searcher, queries, options);
  options.coarse = CoarseMethod::kExact;
  result["top_10_exact_scan"] = time_search(searcher, queries, options);
  options.coarse = method;
  options.rerank = RerankMethod::kAligned;
  result["aligned_200"] = time_search(searcher, queries, options);
  result["ratio_exact_over_index_p50"] =
      result["top_10_exact_scan"]["total"]["p50_ms"].get<double>() / result["top_10"]["total"]["p50_ms"].get<double>();
  return result;
}

// Refining IVF-PQ's proposals by an SQ8 copy of the vectors, as FAISS would, instead of by the f16 vectors of the
// segments.
json measure_sq8_refine(const std::filesystem::path& folder, const Segments& segments,
                        const std::vector<Query>& queries) {
  const int width = segments.front()->width();
  faiss::IndexScalarQuantizer copy(width, faiss::ScalarQuantizer::QT_8bit, faiss::METRIC_INNER_PRODUCT);
  std::vector<ScanSource> sources;
  std::vector<RowMask> masks;
  const std::vector<SearchPart> parts = parts_of(segments);
  std::vector<std::int64_t> first;
  for (const auto& segment : segments) {
    std::vector<float> vectors(std::size_t(segment->rows()) * std::size_t(width));
    for (std::uint32_t row = 0; row < segment->rows(); ++row) {
      segment->decode_coarse(row, std::span(vectors).subspan(row * std::size_t(width), std::size_t(width)));
    }
    if (first.empty()) copy.train(segment->rows(), vectors.data());
    first.push_back(copy.ntotal);
    copy.add(segment->rows(), vectors.data());
    masks.push_back(make_row_mask(segment->rows(), true));
  }
  for (std::size_t p = 0; p < parts.size(); ++p) sources.push_back({parts[p].segment.get(), parts[p].ids, &masks[p]});
  const auto index = CoarseIndex::open(folder / "ivfpq.faiss", width).index;
  std::vector<double> f16_ms, sq8_ms;
  std::size_t f16_found = 0, sq8_found = 0, wanted = 0;
  const std::unique_ptr<faiss::DistanceComputer> distance(copy.get_distance_computer());
  for (const Query& query : queries) {
    const std::vector<float> vector =
        bench::unit({query.parts[0].tokens.begin(), query.parts[0].tokens.begin() + width});
    std::set<ImageId> truth;
    const auto exact = exact_scan(sources, vector, width, {10});
    for (const ScanHit& hit : exact[0]) truth.insert(hit.id);
    std::vector<ScanHit> hits;
    for (const CoarseRow& row : index->propose(vector, 10)) {
      hits.push_back({parts[row.segment].ids[row.row], row.segment, row.row, 0});
    }
    std::vector<ScanHit> by_sq8 = hits;
    sq8_ms.push_back(bench::milliseconds([&] {
      distance->set_query(vector.data());
      for (ScanHit& hit : by_sq8) hit.score = (*distance)(first[hit.source] + hit.row);
      std::sort(by_sq8.begin(), by_sq8.end());
    }));
    f16_ms.push_back(bench::milliseconds([&] { rescore(sources, vector, {10}, hits); }));
    for (std::size_t i = 0; i < 10 && i < hits.size(); ++i) {
      f16_found += truth.count(hits[i].id);
      sq8_found += truth.count(by_sq8[i].id);
    }
    wanted += truth.size();
  }
  return {
      {"f16_of_segments",
       {{"recall_at_10", double(f16_found) / double(wanted)}, {"extra_bytes_per_image", 0}, {"time", latency(f16_ms)}}},
      {"sq8_copy",
       {{"recall_at_10", double(sq8_found) / double(wanted)},
        {"extra_bytes_per_image", width},
        {"time", latency(sq8_ms)}}}};
}

json run(const Options& options) {
  const bench::TemporaryFolder folder(options.folder);
  bench::SyntheticImages maker(options.width, options.tokens, 3000, 1.0f, 1);
  Segments segments;
  const double write_ms = bench::milliseconds([&] { segments = maker.write(folder.path(), options.images, 1024); });
  std::vector<Query> queries;
  for (int q = 0; q < options.queries; ++q) queries.push_back({{{maker.make(), options.tokens, 1.0f}}, options.width});
  const Searcher searcher(parts_of(segments));
  for (int q = 0; q < 3; ++q) validate(searcher, segments, queries[std::size_t(q)].parts[0].tokens, options.tokens);

  std::uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += segment->file_bytes();
  json result{{"benchmark", "search"},
              {"images", options.images},
              {"width", options.width},
              {"tokens", options.tokens},
              {"threads", usable_threads()},
              {"simd", simd_level_name(best_simd_level())},
              {"validated", "3 queries equal brute force"},
              {"segments", segments.size()},
              {"bytes_per_image", double(bytes) / double(options.images)},
              {"make_and_write_s", write_ms / 1000}};
  std::vector<double> warm;
  for (int i = 0; i < 9; ++i) warm.push_back(time_to_first_answer(segments, queries[0]));
  result["first_answer_warm_ms"] = bench::quantile(warm, 0.5);
  for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    for (const int budget : {options.tokens, options.tokens / 4}) {
      SearchOptions search;
      search.rerank = method;
      search.tokens = budget;
      const std::string name = std::string(rerank_method_name(method)) + "_" + std::to_string(budget) + "_tokens";
      result["rerank_200"][name] = time_search(searcher, queries, search);
      if (method == RerankMethod::kNone) break;
    }
  }
  if (!options.indexes) return result;
  const std::vector<Query> some(queries.begin(), queries.begin() + std::min<std::ptrdiff_t>(100, std::ssize(queries)));
  result["ivfpq"] = measure_index(folder.path(), segments, some, CoarseMethod::kIvfPq);
  result["ivfpq_refine"] = measure_sq8_refine(folder.path(), segments, some);
  const Segments fewer(segments.begin(), segments.begin() + std::min<std::ptrdiff_t>(options.hnsw_images / 1024 + 1,
                                                                                     std::ssize(segments)));
  result["hnsw"] = measure_index(folder.path(), fewer, some, CoarseMethod::kHnsw);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Two-stage search of a synthetic library");
  app.add_option("--images", options.images);
  app.add_option("--width", options.width);
  app.add_option("--tokens", options.tokens);
  app.add_option("--queries", options.queries);
  app.add_option("--hnsw-images", options.hnsw_images);
  app.add_flag("!--no-indexes", options.indexes, "leave out the approximate coarse indexes");
  app.add_option("--folder", options.folder, "where the segments are written");
  return bench::report(app, argc, argv, [&] { return run(options); });
}
