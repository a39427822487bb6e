// Why a picture was found: which parts of query and result speak for the match, and what its scores say in words.
//
// A part counts as much as the score falls when it is covered (occlusion, Zeiler and Fergus 2014): each tile of one
// picture is painted over with that picture's mean colour, the picture is encoded again and compared with the other one
// as the search compared them.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tessera/encoder.h"
#include "tessera/indexer/search.h"

namespace tessera {

// The two stages for two pictures, by plain arithmetic over their tokens; what search() returns for stored tokens but
// for their quantisation. `most` = tokens that the library stores per image at most (N of the weights).
struct MatchScore {
  float score = 0;
  float coarse_score = 0;
  float rerank_score = 0;
};
MatchScore match_score(const QueryPart& query, const QueryPart& image, int width, const SearchOptions& options,
                       int most);

struct ExplainOptions {
  int grid = 7;  // tiles along the longer side, 2..16; along the shorter as many as keep them nearly square
  // How far a tile's cover reaches beyond it, in tiles. Overlapping covers tell large parts from small ones and give
  // a smooth map.
  double margin = 0.5;
  int batch = 16;  // pictures per call of the encoder
  // Method, weight and token budget of the search that is explained; the rest is not used.
  SearchOptions search;
  int stored_tokens = 16;  // of the library
};

// Row by row from the upper left; how much the score falls when the tile is covered. Below 0: it is higher without it.
struct TileMap {
  int columns = 0;
  int rows = 0;
  std::vector<float> values;
};

// For each tile of the result the tile of the query whose content is most like its own (crops compared by token 0).
struct TileMatch {
  int tile = 0;          // index into the query's tiles
  float similarity = 0;  // cosine in [-1, 1]
};

struct MatchExplanation {
  MatchScore score;  // of the two pictures as they are
  TileMap query;
  TileMap result;
  std::vector<TileMatch> matches;  // one per tile of the result
};

using ExplainObserver = std::function<void(int done, int total)>;  // pictures encoded, from the calling thread

// Both pictures prepared for the encoder (prepare_image); the maps cover what is prepared, see prepared_part().
// Throws kInvalidArgument for an option out of range, kCancelled soon after `stop` (within one batch), and what the
// encoder throws. Thread rule: any thread, the encoder is used by one at a time.
MatchExplanation explain_match(ImageEncoder& encoder, const Image& query, const Image& result,
                               const ExplainOptions& options = {}, const ExplainObserver& observer = {},
                               std::stop_token stop = {});

// "Very similar as a whole (0.83), details and layout agree less (0.41). One in 40,000 unrelated pictures scores this
// high." The second sentence only if the hit was calibrated; `searched` as in SearchResult.
std::string match_sentence(const SearchHit& hit, const SearchOptions& options, std::int64_t searched);

}  // namespace tessera
