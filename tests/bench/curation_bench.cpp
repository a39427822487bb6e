// Analysis of a large collection: near pairs, diverse picks, outliers and clusters against plain ways with faiss.
//
// curation_bench [--rows N] [--width D] [--repeat R] [--sample S]; JSON on stdout. Where the plain way compares all
// pairs, it is timed on a sample of rows and its time scaled up. Every output is checked, and nothing
// is printed if one is wrong.
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/utils/distances.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "analyse/row_scan.h"
#include "search/parallel.h"
#include "search_bench_util.h"
#include "tessera/indexer/clusters.h"
#include "tessera/indexer/diversity.h"
#include "tessera/indexer/outliers.h"
#include "tessera/indexer/similar_pairs.h"

namespace {

using namespace tessera;
using nlohmann::json;

constexpr double kLeast = 0.7;        // similarity of pairs, that of the search for duplicates
constexpr double kRounding = 0.002;   // of similarities in fixed point, and a little for sums
constexpr std::size_t kPicked = 100;  // farthest points
constexpr std::size_t kRepresentative = 10;
constexpr std::size_t kClients = 512;
constexpr int kNeighbours = 5;
constexpr std::size_t kOutliers = 20;
constexpr int kClusters = 100;
constexpr int kIterations = 50;

struct Options {
  std::int64_t rows = 100'000;
  int width = 384;
  int repeat = 3;
  std::int64_t sample = 2'000;
};

struct Collection {
  int width = 0;
  VectorSet vectors;
  faiss::IndexFlatIP flat;
  std::vector<float> values;  // [rows, width], unit

  explicit Collection(int d) : width(d), vectors(d), flat(d) {}
  std::size_t rows() const { return vectors.size(); }
  const float* row(std::size_t r) const { return values.data() + r * std::size_t(width); }
};

// Photographs around themes, one in ten a near copy of an earlier one; later components are smaller, as in the tokens
// of a model.
Collection make_collection(const Options& options) {
  bench::SyntheticImages maker(options.width, 1, 3000, 1.0f, 1);
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  Collection collection(options.width);
  for (std::int64_t r = 0; r < options.rows; ++r) {
    std::vector<float> vector;
    if (r % 10 == 9) {
      const float* first = collection.row(random() % std::size_t(r));
      vector.assign(first, first + options.width);
      for (float& x : vector) x += 0.2f * normal(random) / std::sqrt(float(options.width));
    } else {
      vector = maker.make();
      for (std::size_t i = 0; i < vector.size(); ++i) vector[i] /= std::sqrt(1 + float(i) / 32);
    }
    vector = bench::unit(std::move(vector));
    collection.vectors.add(vector);
    collection.values.insert(collection.values.end(), vector.begin(), vector.end());
  }
  collection.flat.add(options.rows, collection.values.data());
  return collection;
}

using Pairs = std::set<std::pair<std::size_t, std::size_t>>;

// Pairs of the first `sample` rows with any row.
std::vector<SimilarPair> plain_pairs(const Collection& collection, std::int64_t sample, double least) {
  faiss::RangeSearchResult found(sample);
  collection.flat.range_search(sample, collection.values.data(), static_cast<float>(least), &found);
  std::vector<SimilarPair> pairs;
  for (std::size_t q = 0; q < std::size_t(sample); ++q) {
    for (std::size_t i = found.lims[q]; i < found.lims[q + 1]; ++i) {
      const auto other = std::size_t(found.labels[i]);
      if (other > q) pairs.push_back({q, other, found.distances[i]});
    }
  }
  return pairs;
}

void check_pairs(const Collection& collection, const std::vector<SimilarPair>& pairs, std::int64_t sample) {
  Pairs all;
  for (const SimilarPair& pair : pairs) all.emplace(pair.a, pair.b);
  std::size_t sure = 0;
  for (const SimilarPair& pair : plain_pairs(collection, sample, kLeast + kRounding)) {
    bench::require(all.contains({pair.a, pair.b}), "a similar pair is missing");
    ++sure;
  }
  bench::require(sure > std::size_t(sample) / 20, "too few similar pairs to say anything");
  for (const SimilarPair& pair : pairs) {
    const float exact = faiss::fvec_inner_product(collection.row(pair.a), collection.row(pair.b), collection.width);
    bench::require(std::fabs(exact - pair.similarity) < kRounding && exact > kLeast - kRounding,
                   "similarity of a pair");
  }
}

// Gonzalez with float32 products of faiss: each pick lowers what is left by one product per row.
std::vector<DiversePicked> plain_farthest(const Collection& collection, std::size_t first, std::size_t count) {
  std::vector<float> nearest(collection.rows(), -2), products(collection.rows());
  std::vector<DiversePicked> picked = {{first, -1}};
  const int threads = usable_threads();
  constexpr std::size_t kPiece = 4096;
  while (picked.size() < count) {
    const float* last = collection.row(picked.back().row);
    parallel_for((collection.rows() + kPiece - 1) / kPiece, threads, [&](std::size_t piece, int) {
      const std::size_t begin = piece * kPiece, rows = std::min(kPiece, collection.rows() - begin);
      faiss::fvec_inner_products_ny(&products[begin], last, collection.row(begin), std::size_t(collection.width), rows);
      for (std::size_t r = begin; r < begin + rows; ++r) nearest[r] = std::max(nearest[r], products[r]);
    });
    const auto least = std::min_element(nearest.begin(), nearest.end());
    picked.push_back({std::size_t(least - nearest.begin()), *least});
  }
  return picked;
}

// Each pick must be, but for rounding, the farthest row from those before it.
void check_farthest(const Collection& collection, const std::vector<DiversePicked>& picked) {
  bench::require(picked.size() == kPicked, "number of picks");
  std::vector<float> nearest(collection.rows(), -2), products(collection.rows());
  for (std::size_t i = 1; i < picked.size(); ++i) {
    faiss::fvec_inner_products_ny(products.data(), collection.row(picked[i - 1].row), collection.values.data(),
                                  std::size_t(collection.width), collection.rows());
    for (std::size_t r = 0; r < nearest.size(); ++r) nearest[r] = std::max(nearest[r], products[r]);
    const float least = *std::min_element(nearest.begin(), nearest.end());
    bench::require(std::fabs(nearest[picked[i].row] - least) < kRounding, "a pick is not the farthest");
    bench::require(std::fabs(picked[i].nearest - least) < kRounding, "distance of a pick");
  }
}

// Sum over the clients of the similarity to the nearest pick.
double coverage(const Collection& collection, const std::vector<std::size_t>& picked) {
  double sum = 0;
  for (const std::size_t client : even_sample(collection.rows(), kClients)) {
    float best = -1;
    for (const std::size_t row : picked) {
      best = std::max(
          best, faiss::fvec_inner_product(collection.row(client), collection.row(row), std::size_t(collection.width)));
    }
    sum += double(best);
  }
  return sum;
}

std::vector<std::size_t> rows_of(const std::vector<DiversePicked>& picked) {
  std::vector<std::size_t> rows;
  for (const DiversePicked& each : picked) rows.push_back(each.row);
  return rows;
}

// Greedy without laziness: every step computes the gain of every row over all clients anew.
std::vector<std::size_t> plain_facility(const Collection& collection, std::size_t count) {
  const std::vector<std::size_t> clients = even_sample(collection.rows(), kClients);
  const int threads = usable_threads();
  std::vector<float> wanted;
  for (const std::size_t client : clients) {
    wanted.insert(wanted.end(), collection.row(client), collection.row(client) + collection.width);
  }
  std::vector<float> covered(clients.size(), -1), gains(collection.rows());
  std::vector<std::size_t> picked;
  while (picked.size() < count) {
    parallel_for(collection.rows(), threads, [&](std::size_t r, int) {
      std::vector<float> products(clients.size());
      faiss::fvec_inner_products_ny(products.data(), collection.row(r), wanted.data(), std::size_t(collection.width),
                                    clients.size());
      float gain = 0;
      for (std::size_t c = 0; c < clients.size(); ++c) gain += std::max(0.0f, products[c] - covered[c]);
      gains[r] = gain;
    });
    picked.push_back(std::size_t(std::max_element(gains.begin(), gains.end()) - gains.begin()));
    for (std::size_t c = 0; c < clients.size(); ++c) {
      covered[c] = std::max(covered[c], faiss::fvec_inner_product(collection.row(picked.back()),
                                                                  wanted.data() + c * std::size_t(collection.width),
                                                                  std::size_t(collection.width)));
    }
  }
  return picked;
}

// Mean similarity to the nearest others, of these rows.
std::vector<float> plain_neighbours(const Collection& collection, const std::vector<std::size_t>& rows) {
  std::vector<float> queries;
  for (const std::size_t row : rows) {
    queries.insert(queries.end(), collection.row(row), collection.row(row) + collection.width);
  }
  constexpr int kFound = kNeighbours + 1;  // and the row itself
  std::vector<float> scores(rows.size() * kFound);
  std::vector<faiss::Index::idx_t> labels(scores.size());
  collection.flat.search(std::int64_t(rows.size()), queries.data(), kFound, scores.data(), labels.data());
  std::vector<float> means;
  for (std::size_t q = 0; q < rows.size(); ++q) {
    means.push_back(std::accumulate(&scores[q * kFound + 1], &scores[q * kFound] + kFound, 0.0f) / kNeighbours);
  }
  return means;
}

std::vector<std::size_t> first_rows(std::int64_t count) {
  std::vector<std::size_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

void check_outliers(const Collection& collection, const std::vector<Outlier>& outliers, std::int64_t sample) {
  bench::require(outliers.size() == kOutliers, "number of outliers");
  std::vector<std::size_t> rows;
  for (const Outlier& each : outliers) rows.push_back(each.row);
  const std::vector<float> exact = plain_neighbours(collection, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bench::require(std::fabs(exact[i] - outliers[i].similarity) < kRounding, "similarity of an outlier");
  }
  const std::set<std::size_t> known(rows.begin(), rows.end());
  const std::vector<float> others = plain_neighbours(collection, first_rows(sample));
  for (std::size_t r = 0; r < others.size(); ++r) {
    bench::require(known.contains(r) || others[r] > outliers.back().similarity - kRounding, "an outlier is missing");
  }
}

// Mean similarity of a row to the middle of its group, over all rows.
double cohesion(const std::vector<Cluster>& clusters, std::size_t rows) {
  double sum = 0;
  for (const Cluster& cluster : clusters) sum += double(cluster.cohesion) * double(cluster.members.size());
  return sum / double(rows);
}

double plain_clusters(const Collection& collection) {
  faiss::ClusteringParameters parameters;
  parameters.spherical = true;
  parameters.niter = kIterations;
  parameters.max_points_per_centroid = static_cast<int>(collection.rows());
  faiss::Clustering clustering(collection.width, kClusters, parameters);
  faiss::IndexFlatIP index(collection.width);
  clustering.train(std::int64_t(collection.rows()), collection.values.data(), index);
  std::vector<float> scores(collection.rows());
  std::vector<faiss::Index::idx_t> labels(collection.rows());
  index.search(std::int64_t(collection.rows()), collection.values.data(), 1, scores.data(), labels.data());
  return std::accumulate(scores.begin(), scores.end(), 0.0) / double(collection.rows());
}

json compared(const std::vector<double>& own, const std::vector<double>& plain, double scale) {
  const double plain_ms = scale * bench::quantile(plain, 0.5);
  return {{"median_ms", bench::quantile(own, 0.5)},
          {"best_ms", bench::quantile(own, 0)},
          {"reference_median_ms", plain_ms},
          {"reference_scaled_by", scale},
          {"speedup_over_reference", plain_ms / bench::quantile(own, 0.5)}};
}

json run(const Options& options) {
  const Collection collection = make_collection(options);
  const std::int64_t sample = std::min(options.sample, options.rows);
  const double scale = double(options.rows) / double(sample);
  SimilarPairsOptions pairs_wanted;
  pairs_wanted.least = kLeast;
  DiverseOptions farthest{kPicked, DiversityMethod::kFarthestPoint, {}, kClients, 0, {}};
  DiverseOptions facility{kRepresentative, DiversityMethod::kFacilityLocation, {}, kClients, 0, {}};
  OutlierOptions outliers;
  outliers.count = kOutliers;
  outliers.neighbours = kNeighbours;
  ClusterOptions clusters;
  clusters.count = kClusters;
  clusters.iterations = kIterations;

  struct Times {
    std::vector<double> own, plain;
  };
  Times of_pairs, of_farthest, of_facility, of_outliers, of_clusters;
  std::vector<SimilarPair> pairs;
  std::vector<DiversePicked> picked;
  std::vector<Outlier> odd;
  std::vector<std::size_t> representative, plain_representative;
  double own_cohesion = 0, plain_cohesion = 0;
  const std::vector<std::size_t> sampled = first_rows(sample);
  for (int r = 0; r < options.repeat; ++r) {
    const auto time = [](std::vector<double>& times, const std::function<void()>& work) {
      times.push_back(bench::milliseconds(work));
    };
    time(of_pairs.own, [&] { pairs = find_similar_pairs(collection.vectors, pairs_wanted); });
    time(of_pairs.plain, [&] { plain_pairs(collection, sample, kLeast); });
    time(of_farthest.own, [&] { picked = pick_diverse(collection.vectors, farthest); });
    time(of_farthest.plain, [&] { plain_farthest(collection, picked.front().row, kPicked); });
    time(of_outliers.own, [&] { odd = find_outliers(collection.vectors, outliers); });
    time(of_outliers.plain, [&] { plain_neighbours(collection, sampled); });
    time(of_clusters.own,
         [&] { own_cohesion = cohesion(find_clusters(collection.vectors, clusters), collection.rows()); });
    time(of_clusters.plain, [&] { plain_cohesion = plain_clusters(collection); });
  }
  // Once, and of the plain way one step: every step costs the same.
  of_facility.own.push_back(
      bench::milliseconds([&] { representative = rows_of(pick_diverse(collection.vectors, facility)); }));
  of_facility.plain.push_back(bench::milliseconds([&] { plain_representative = plain_facility(collection, 1); }));
  check_pairs(collection, pairs, sample);
  check_farthest(collection, picked);
  check_outliers(collection, odd, sample);
  bench::require(representative.front() == plain_representative.front() ||
                     coverage(collection, {representative.front()}) >
                         coverage(collection, plain_representative) - kRounding * double(kClients),
                 "the first of the facility picks");
  bench::require(own_cohesion > 0.97 * plain_cohesion, "clusters are looser than those of faiss");

  json result{
      {"benchmark", "curation"},
      {"rows", options.rows},
      {"width", options.width},
      {"threads", usable_threads()},
      {"repeat", options.repeat},
      {"validated",
       "pairs and outliers against faiss IndexFlatIP, picks against exact float32 distances, clusters by cohesion"}};
  result["similar_pairs"] = compared(of_pairs.own, of_pairs.plain, scale);
  result["similar_pairs"]["pairs"] = pairs.size();
  result["farthest_point"] = compared(of_farthest.own, of_farthest.plain, 1);
  result["facility_location"] = compared(of_facility.own, of_facility.plain, double(kRepresentative));
  result["outliers"] = compared(of_outliers.own, of_outliers.plain, scale);
  result["clusters"] = compared(of_clusters.own, of_clusters.plain, 1);
  result["clusters"]["cohesion"] = own_cohesion;
  result["clusters"]["reference_cohesion"] = plain_cohesion;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Near pairs, picks, outliers and clusters against plain ways with faiss");
  app.add_option("--rows", options.rows);
  app.add_option("--width", options.width);
  app.add_option("--repeat", options.repeat)->check(CLI::Range(1, 1000));
  app.add_option("--sample", options.sample, "rows that the plain way of all pairs is timed on");
  return bench::report(app, argc, argv, [&] { return run(options); });
}
