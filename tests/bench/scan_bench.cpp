// Exact scan of coarse vectors: GB/s against the memory bandwidth measured in between, and against faiss IndexFlatIP.
//
// scan_bench [--rows N] [--width D] [--repeat R] [--folder DIR]; JSON on stdout.
#include <faiss/IndexFlat.h>
#include <immintrin.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <span>

#include "search/exact_scan.h"
#include "search/parallel.h"
#include "search_bench_util.h"

namespace {

using namespace tessera;
using nlohmann::json;

constexpr int kBatch = 32;  // above the number from which FAISS multiplies matrices instead of scanning

struct Options {
  std::int64_t rows = 500'000;
  int width = 768;
  int repeat = 31;
  std::string folder = std::filesystem::temp_directory_path();
};

// Reads every cache line once; the sum keeps the loads.
__attribute__((target("avx2"))) std::int64_t read_all(const std::byte* data, std::size_t bytes) {
  __m256i sums[4] = {};
  for (std::size_t i = 0; i + 128 <= bytes; i += 128) {
    for (int j = 0; j < 4; ++j) {
      const auto* at = reinterpret_cast<const __m256i*>(data + i + 32 * std::size_t(j));
      sums[j] = _mm256_add_epi64(sums[j], _mm256_loadu_si256(at));
    }
  }
  const __m256i sum = _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
  std::int64_t lanes[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sum);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

std::int64_t read_parallel(std::span<const std::span<const std::byte>> areas) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::vector<std::span<const std::byte>> pieces;
  for (const auto& area : areas) {
    for (std::size_t at = 0; at < area.size(); at += kPiece) {
      pieces.push_back(area.subspan(at, std::min(kPiece, area.size() - at)));
    }
  }
  std::vector<std::int64_t> sums(pieces.size());
  parallel_for(pieces.size(), usable_threads(),
               [&](std::size_t p, int) { sums[p] = read_all(pieces[p].data(), pieces[p].size()); });
  std::int64_t total = 0;
  for (const std::int64_t sum : sums) total += sum;
  return total;
}

struct Collection {
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<std::vector<ImageId>> ids;
  std::vector<RowMask> masks;
  std::vector<ScanSource> sources;
  faiss::IndexFlatIP flat;
  explicit Collection(int width) : flat(width) {}
};

void fill(Collection& collection, const Options& options, const std::filesystem::path& folder) {
  bench::SyntheticImages images(options.width, 1, 5000, 1.0f, 1);
  collection.segments = images.write(folder, options.rows, 1024);
  ImageId id = 0;
  for (const auto& segment : collection.segments) {
    collection.ids.emplace_back();
    std::vector<float> vectors(std::size_t(segment->rows()) * std::size_t(options.width));
    for (std::uint32_t row = 0; row < segment->rows(); ++row) {
      collection.ids.back().push_back(id++);
      segment->decode_coarse(row, std::span(vectors).subspan(row * std::size_t(options.width), options.width));
    }
    collection.flat.add(segment->rows(), vectors.data());
    collection.masks.push_back(make_row_mask(segment->rows(), true));
  }
  for (std::size_t s = 0; s < collection.segments.size(); ++s) {
    collection.sources.push_back({collection.segments[s].get(), collection.ids[s], &collection.masks[s]});
  }
}

// Top 10 of every query: the same rows as faiss finds in float32, in the same order but for scores that are equal
// there.
void validate(const Collection& collection, const std::vector<float>& queries, int width) {
  const auto count = static_cast<faiss::Index::idx_t>(queries.size() / std::size_t(width));
  std::vector<float> scores(std::size_t(count) * 10);
  std::vector<faiss::Index::idx_t> labels(scores.size());
  collection.flat.search(count, queries.data(), 10, scores.data(), labels.data());
  const auto hits = exact_scan(collection.sources, queries, width, {10});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const ScanHit& hit = hits[i / 10].at(i % 10);
    bench::require(std::fabs(hit.score - scores[i]) < 2e-6, "score of rank " + std::to_string(i % 10));
    bench::require(hit.id == labels[i] || std::fabs(hit.score - scores[i]) < 2e-6, "row of rank");
  }
}

json timing(const std::vector<double>& ms, double bytes = 0) {
  json result{{"median_ms", bench::quantile(ms, 0.5)}, {"best_ms", bench::quantile(ms, 0)}};
  if (bytes > 0) {
    result["median_gb_per_s"] = bytes / bench::quantile(ms, 0.5) / 1e6;
    result["best_gb_per_s"] = bytes / bench::quantile(ms, 0) / 1e6;
  }
  return result;
}

json run(const Options& options) {
  const bench::TemporaryFolder folder(options.folder);
  Collection collection(options.width);
  fill(collection, options, folder.path());
  bench::SyntheticImages maker(options.width, 1, 5000, 1.0f, 1);
  std::vector<float> queries;
  for (int q = 0; q < kBatch; ++q) {
    const std::vector<float> query = bench::unit(maker.make());
    queries.insert(queries.end(), query.begin(), query.end());
  }
  validate(collection, queries, options.width);

  const double bytes = double(options.rows) * (double(coarse_code_stride(options.width)) + sizeof(CodeScale));
  std::vector<std::byte> anonymous(std::size_t(bytes), std::byte{1});
  const std::vector<std::span<const std::byte>> buffer{anonymous};
  std::vector<std::span<const std::byte>> codes;
  for (const auto& segment : collection.segments) {
    codes.push_back(
        std::as_bytes(std::span(segment->coarse_codes(0), segment->rows() * segment->coarse_code_stride())));
  }
  const std::span<const float> one = std::span(queries).first(std::size_t(options.width));
  std::vector<double> memory, mapped, scan, scan_f32, batch, flat_batch;
  std::int64_t sum = 0;
  std::vector<float> scores(10 * kBatch);
  std::vector<faiss::Index::idx_t> labels(10 * kBatch);
  ScanStats stats;
  exact_scan(collection.sources, one, options.width, {10}, &stats);
  for (int r = 0; r < options.repeat; ++r) {
    memory.push_back(bench::milliseconds([&] { sum += read_parallel(buffer); }));
    mapped.push_back(bench::milliseconds([&] { sum += read_parallel(codes); }));
    scan.push_back(bench::milliseconds([&] { exact_scan(collection.sources, one, options.width, {10}); }));
    if (r % 4 != 0) continue;
    scan_f32.push_back(
        bench::milliseconds([&] { collection.flat.search(1, one.data(), 10, scores.data(), labels.data()); }));
    batch.push_back(bench::milliseconds([&] { exact_scan(collection.sources, queries, options.width, {10}); }));
    flat_batch.push_back(
        bench::milliseconds([&] { collection.flat.search(kBatch, queries.data(), 10, scores.data(), labels.data()); }));
  }
  const double code_bytes = double(options.rows) * double(coarse_code_stride(options.width));
  json result{{"benchmark", "scan"},
              {"rows", options.rows},
              {"width", options.width},
              {"threads", usable_threads()},
              {"simd", simd_level_name(best_simd_level())},
              {"validated", "top 10 of 32 queries equal faiss IndexFlatIP"},
              {"bytes_scanned", bytes},
              {"rows_rescored", stats.rescored},
              {"checksum", sum}};
  result["read_memory"] = timing(memory, bytes);
  result["read_mapped_codes"] = timing(mapped, code_bytes);
  result["exact_scan"] = timing(scan, bytes);
  result["exact_scan_32_queries"] = timing(batch);
  result["faiss_flat"] = timing(scan_f32);
  result["faiss_flat_32_queries"] = timing(flat_batch);
  const auto ratio = [](const std::vector<double>& a, const std::vector<double>& b, double share) {
    return bench::quantile(a, share) / bench::quantile(b, share);
  };
  result["ratios"] = {{"bandwidth_used_of_memory_median", ratio(memory, scan, 0.5)},
                      {"bandwidth_used_of_memory_best", ratio(memory, scan, 0)},
                      {"speedup_over_faiss_flat_median", ratio(scan_f32, scan, 0.5)},
                      {"speedup_over_faiss_flat_best", ratio(scan_f32, scan, 0)},
                      {"speedup_over_faiss_flat_32_queries_best", ratio(flat_batch, batch, 0)}};
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Exact scan against memory bandwidth and faiss IndexFlatIP");
  app.add_option("--rows", options.rows);
  app.add_option("--width", options.width);
  app.add_option("--repeat", options.repeat);
  app.add_option("--folder", options.folder, "where the segments are written");
  return bench::report(app, argc, argv, [&] { return run(options); });
}
