// Two-stage search: what a query is, how it is asked, what comes back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/types.h"

namespace tessera {

enum class RerankMethod {
  kNone,     // coarse order: cosine of token 0
  kAligned,  // sum over i < l of w_i cos(q_i, d_i) / sum of w_i, with w_i = (1 - i/N)^2, N = tokens stored per image
  kMaxSim,   // each token's best match in the other set, weighted by w_i, mean of both directions
};
RerankMethod parse_rerank_method(std::string_view text);  // "none", "aligned", "maxsim"; throws kInvalidArgument
const char* rerank_method_name(RerankMethod method) noexcept;

enum class CoarseMethod {
  kAuto,   // exact below SearchOptions::exact_limit images, IVF-PQ above
  kExact,  // int8 scan of every vector, the best rescored in f16
  kIvfPq,  // FAISS IVF-PQ with SQ8 refine, memory-mapped
  kHnsw,   // FAISS HNSW over SQ8
};
CoarseMethod parse_coarse_method(std::string_view text);  // "auto", "exact", "ivfpq", "hnsw"
const char* coarse_method_name(CoarseMethod method) noexcept;

// Tokens of one example picture or region. Row-major [token_count, width], float32, in the encoder's order.
struct QueryPart {
  std::vector<float> tokens;
  int token_count = 0;
  float weight = 1.0f;  // > 0: like this, < 0: not like this
};

// One or more examples over the same token width. Part tokens are L2-normalised, weighted and added index by index;
// a token index takes part up to the shortest positive part. At least one weight must be positive.
struct Query {
  std::vector<QueryPart> parts;
  int width = 0;
};

struct SearchOptions {
  int k = 20;
  RerankMethod rerank = RerankMethod::kAligned;
  // How much the rerank counts: score = (1 - w) * coarse score + w * rerank score, w in [0, 1].
  float rerank_weight = 0.2f;
  int tokens = 0;        // token budget l of the rerank; 0 = all that are stored
  int candidates = 200;  // K: how many of the coarse stage are reranked (at least k)
  CoarseMethod coarse = CoarseMethod::kAuto;
  std::int64_t exact_limit = 200'000;
  std::vector<std::filesystem::path> under;  // keep only images with a file below one of these folders; empty = all
  std::optional<std::vector<ImageId>> only;  // ascending: keep only these, e.g. Library::matching()
  std::vector<ImageId> exclude;              // e.g. the query itself
  bool calibrate = false;                    // fill SearchHit::by_chance
  // In (0, 1): fill it, and end the list where more than the share 1 - precision of it would be expected by chance
  // (docs/SEARCH.md). 0 = no such end. Throws kInvalidArgument if fewer than 50 pictures are searched.
  double precision = 0;
};

struct SearchHit {
  ImageId id = 0;
  float score = 0;         // of both stages, see rerank_weight; hits are sorted by it, descending, ties by id
  float coarse_score = 0;  // cosine of token 0 in [-1, 1]
  float rerank_score = 0;  // in [-1, 1]; equals coarse_score for RerankMethod::kNone
  int coarse_rank = 0;     // 0-based rank in the coarse stage
  // How many of the pictures searched are expected to be at least this similar if all are unrelated to the query
  // (docs/SEARCH.md). NaN if that was not asked for or fewer than 50 pictures were searched.
  double by_chance = std::numeric_limits<double>::quiet_NaN();
};

struct SearchResult {
  std::vector<SearchHit> hits;
  CoarseMethod coarse_used = CoarseMethod::kExact;
  std::int64_t searched = 0;  // images that could have been returned
  double coarse_ms = 0;
  double rerank_ms = 0;
  double calibrate_ms = 0;
  int background = 0;  // pictures that by_chance was estimated with; 0 = it was not
  bool cut = false;    // SearchOptions::precision ended the list: no further picture belongs to it
};

// Where SearchOptions::precision would end this list, best first: how many hits it would keep. 0 without by_chance.
std::size_t likely_related(std::span<const SearchHit> hits, double precision);

}  // namespace tessera
