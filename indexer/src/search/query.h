// A query made ready for search: example parts combined into one set of unit tokens.
#pragma once

#include <vector>

#include "tessera/indexer/search.h"

namespace tessera {

struct CombinedQuery {
  int width = 0;              // D
  int token_count = 0;        // n >= 1
  std::vector<float> tokens;  // [n, D]; each row a unit vector, or zeros where the examples cancel out
};

// Per token index: the L2-normalised tokens of the parts times their weights, added, L2-normalised again. The result
// has as many tokens as the shortest part of positive weight; a part of negative weight counts as far as it reaches.
// A token without direction (all zero) counts as zeros. Throws kInvalidArgument: no part of positive weight, wrong
// sizes, components that are not finite, or examples whose token 0 cancel out.
CombinedQuery combine_query(const Query& query);

}  // namespace tessera
