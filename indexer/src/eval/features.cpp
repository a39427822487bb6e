// All descriptors of a set over the pictures that every one of them could be made of.
#include <algorithm>
#include <numeric>

#include "tessera/error.h"
#include "tessera/indexer/eval_descriptors.h"

namespace tessera::eval {
namespace {

using Kind = Descriptor::Kind;

// Marks of `all` that are in `kept`; both ascending.
std::vector<bool> marks(const std::vector<std::size_t>& all, const std::vector<std::size_t>& kept) {
  std::vector<bool> result;
  for (const std::size_t picture : all) result.push_back(std::binary_search(kept.begin(), kept.end(), picture));
  return result;
}

template <typename Value>
void keep_rows(std::vector<Value>& values, std::size_t width, const std::vector<bool>& kept) {
  std::size_t to = 0;
  for (std::size_t row = 0; row < kept.size(); ++row) {
    if (!kept[row]) continue;
    for (std::size_t i = 0; i < width; ++i) values[to++] = values[row * width + i];
  }
  values.resize(to);
}

std::vector<std::size_t> common(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::vector<std::size_t> result;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

void add_failures(std::vector<Failure>& failures, const std::vector<Failure>& more) {
  for (const Failure& failure : more) {
    const bool known = std::any_of(failures.begin(), failures.end(),
                                   [&](const Failure& each) { return each.picture == failure.picture; });
    if (!known) failures.push_back(failure);
  }
}

// What one source of vectors gave.
struct Part {
  std::vector<std::size_t> pictures;
  std::vector<VectorTable> tables;
  std::vector<std::size_t> places;  // in the request
};

TokenTable tokens_of(const EvalSet& set, const std::string& hash, std::span<const std::size_t> pictures,
                     const FeatureRequest& request, ImageEncoder& encoder, const TokenOptions& tokens,
                     const BatchOptions& options) {
  return request.source ? extract_tokens(pictures, request.source, encoder, tokens, options)
                        : extract_tokens(set, hash, encoder, tokens, options);
}

}  // namespace

FeatureSet extract_features(const EvalSet& set, const std::string& hash, const FeatureRequest& request,
                            const BatchOptions& options) {
  std::vector<Descriptor> baselines;
  Part of_tokens, of_random, of_pixels;
  for (std::size_t d = 0; d < request.descriptors.size(); ++d) {
    const Descriptor& descriptor = request.descriptors[d];
    Part& part = is_baseline(descriptor) ? of_pixels : descriptor.kind == Kind::kRandom ? of_random : of_tokens;
    part.places.push_back(d);
    if (is_baseline(descriptor)) baselines.push_back(descriptor);
  }
  FeatureSet result;
  result.pictures = request.pictures;
  if (!request.source || request.pictures.empty()) {
    result.pictures.resize(set.pictures.size());
    std::iota(result.pictures.begin(), result.pictures.end(), std::size_t{0});
  }
  const std::vector<std::size_t> wanted = result.pictures;
  if (request.token_sets || !of_tokens.places.empty()) {
    if (request.encoder == nullptr) throw Error(ErrorCode::kInvalidArgument, "tokens need an encoder");
    TokenTable table = tokens_of(set, hash, wanted, request, *request.encoder, request.tokens, options);
    if (request.stored) store_as_library(table);
    for (const std::size_t d : of_tokens.places) {
      of_tokens.tables.push_back(describe(table, request.descriptors[d], request.weight_power));
    }
    of_tokens.pictures = table.pictures;
    add_failures(result.failures, table.failures);
    result.pictures = common(result.pictures, table.pictures);
    if (request.token_sets) result.tokens = std::move(table);
  }
  if (!of_random.places.empty()) {
    if (request.random_encoder == nullptr) throw Error(ErrorCode::kInvalidArgument, "random needs an encoder");
    TokenOptions one = request.tokens;
    one.tokens = 1;
    const TokenTable table = tokens_of(set, hash, wanted, request, *request.random_encoder, one, options);
    for (std::size_t i = 0; i < of_random.places.size(); ++i) {
      of_random.tables.push_back(describe(table, {Kind::kToken0, 0}, request.weight_power));
      of_random.tables.back().name = descriptor_name({Kind::kRandom, 0});
    }
    of_random.pictures = table.pictures;
    add_failures(result.failures, table.failures);
    result.pictures = common(result.pictures, table.pictures);
  }
  if (!baselines.empty()) {
    BaselineTables made =
        extract_baselines(result.pictures, request.source ? request.source : file_source(set), baselines, options);
    of_pixels.tables = std::move(made.tables);
    of_pixels.pictures = std::move(made.pictures);
    add_failures(result.failures, made.failures);
    result.pictures = of_pixels.pictures;
  }
  std::sort(result.failures.begin(), result.failures.end(),
            [](const Failure& a, const Failure& b) { return a.picture < b.picture; });

  result.vectors.resize(request.descriptors.size());
  for (Part* part : {&of_tokens, &of_random, &of_pixels}) {
    const std::vector<bool> kept = marks(part->pictures, result.pictures);
    for (std::size_t i = 0; i < part->places.size(); ++i) {
      keep_rows(part->tables[i].values, static_cast<std::size_t>(part->tables[i].width), kept);
      result.vectors[part->places[i]] = std::move(part->tables[i]);
    }
  }
  if (request.token_sets) {
    TokenTable& table = result.tokens;
    const std::vector<bool> kept = marks(table.pictures, result.pictures);
    keep_rows(table.values, std::size_t(table.tokens) * std::size_t(table.width), kept);
    keep_rows(table.summary, static_cast<std::size_t>(table.summary_width), kept);
    keep_rows(table.counts, 1, kept);
    table.pictures = result.pictures;
  }
  return result;
}

}  // namespace tessera::eval
