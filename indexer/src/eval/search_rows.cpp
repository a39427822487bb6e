// What the measures share: the rows that are asked, their rankings by each descriptor and each second stage.
#include "eval/search_rows.h"

#include <array>
#include <charconv>

#include "eval/random.h"
#include "tessera/error.h"

namespace tessera::eval {
namespace {

std::vector<int> labels(const EvalSet& set, const std::vector<std::size_t>& pictures) {
  std::vector<int> result;
  for (const std::size_t picture : pictures) result.push_back(set.pictures[picture].label);
  return result;
}

// Tokens that a descriptor compares, by its name.
int tokens_of(const std::string& name) {
  const Descriptor descriptor = parse_descriptor(name);
  if (descriptor.kind == Descriptor::Kind::kTokens) return descriptor.tokens;
  return descriptor.kind == Descriptor::Kind::kToken0 ? 1 : 0;
}

// "aligned:16", or "aligned:16:0.3" if it has only a share of the score.
std::string match_name(const TokenMatchOptions& match) {
  std::string name = match.match == TokenMatch::kAligned ? "aligned:" : "maxsim:";
  name += std::to_string(match.tokens);
  if (match.share == 1) return name;
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), match.share).ptr;
  return name + ":" + std::string(digits.data(), end);
}

}  // namespace

SearchRows::SearchRows(const Sides& sides, const MeasureOptions& options)
    : sides_(sides),
      options_(options),
      rows_(sample(sides.queries.features.pictures.size(), options.queries, options.seed)) {
  if (rows_.empty()) throw Error(ErrorCode::kInvalidArgument, "there is no picture to measure with");
  if (sides.queries.features.vectors.empty()) throw Error(ErrorCode::kInvalidArgument, "no descriptor was asked for");
}

std::vector<Ranking> SearchRows::ranked(std::size_t descriptor, std::size_t k) const {
  return nearest(table(descriptor), rows_, gallery().features.vectors[descriptor], within(), k, options_.threads);
}

std::vector<Ranking> SearchRows::reranked(const std::vector<Ranking>& rankings, const TokenMatchOptions& match) const {
  return rerank(rankings, sides_.queries.features.tokens, rows_, gallery().features.tokens, options_.candidates, match,
                options_.threads);
}

std::vector<std::size_t> SearchRows::query_pictures() const {
  std::vector<std::size_t> pictures;
  for (const std::size_t row : rows_) pictures.push_back(sides_.queries.features.pictures[row]);
  return pictures;
}
std::vector<int> SearchRows::query_labels() const { return labels(sides_.queries.set, query_pictures()); }
std::vector<int> SearchRows::gallery_labels() const { return labels(gallery().set, gallery().features.pictures); }

void SearchRows::for_each_row(std::size_t k, const std::function<void(const Row&)>& use) const {
  std::vector<Ranking> coarse;
  for (std::size_t d = 0; d < descriptors(); ++d) {
    std::vector<Ranking> rankings = ranked(d, k);
    const VectorTable& searched = gallery().features.vectors[d];
    use({table(d).name, tokens_of(table(d).name), rankings,
         [&](std::size_t query, std::size_t row) { return dot(table(d).row(rows_[query]), searched.row(row)); }});
    if (d == 0) coarse = std::move(rankings);
  }
  for (const TokenMatchOptions& match : options_.rerank) {
    const TokenTable& asked = sides_.queries.features.tokens;
    const TokenTable& searched = gallery().features.tokens;
    use({match_name(match), match.tokens, reranked(coarse, match), [&](std::size_t query, std::size_t row) {
           const double first = double(dot(table(0).row(rows_[query]), gallery().features.vectors[0].row(row)));
           const double second = double(match_score(asked, rows_[query], searched, row, match));
           return static_cast<float>((1 - match.share) * first + match.share * second);
         }});
  }
}

Interval per_cent(std::span<const double> shares, std::uint64_t seed) {
  const Interval share = bootstrap_mean(shares, seed);
  return {100 * share.mean, 100 * share.low, 100 * share.high};
}

}  // namespace tessera::eval
