// A query made ready for search: example parts combined into one set of unit tokens; names of methods.
#include "search/query.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "tessera/error.h"

namespace tessera {
namespace {

[[noreturn]] void reject(const std::string& reason) { throw Error(ErrorCode::kInvalidArgument, reason); }

// Below this norm the sum of unit vectors is rounding noise, not a direction.
constexpr double kNoDirection = 1e-5;

double norm_of(std::span<const float> vector) {
  double sum = 0;
  for (const float x : vector) sum += double(x) * x;
  return std::sqrt(sum);
}

int check_parts(const Query& query) {
  if (query.width < 1) reject("a query needs a token width");
  int count = std::numeric_limits<int>::max();
  bool positive = false;
  for (const QueryPart& part : query.parts) {
    if (!std::isfinite(part.weight) || part.weight == 0)
      reject("the weight of an example must be a number other than 0");
    if (part.token_count < 1 || part.tokens.size() != std::size_t(part.token_count) * std::size_t(query.width)) {
      reject("an example needs at least one token, each of width " + std::to_string(query.width));
    }
    if (!std::all_of(part.tokens.begin(), part.tokens.end(), [](float x) { return std::isfinite(x); })) {
      reject("an example has a token with a component that is not finite");
    }
    if (part.weight > 0) {
      positive = true;
      count = std::min(count, part.token_count);
    }
  }
  if (!positive) reject("a query needs at least one example to be like, not only examples to be unlike");
  return count;
}

}  // namespace

CombinedQuery combine_query(const Query& query) {
  CombinedQuery combined;
  combined.token_count = check_parts(query);
  combined.width = query.width;
  const auto width = static_cast<std::size_t>(query.width);
  std::vector<double> sum(width);
  for (int t = 0; t < combined.token_count; ++t) {
    std::fill(sum.begin(), sum.end(), 0.0);
    double largest = 0;
    for (const QueryPart& part : query.parts) {
      if (t >= part.token_count) continue;
      const std::span<const float> token = std::span(part.tokens).subspan(std::size_t(t) * width, width);
      const double norm = norm_of(token);
      if (norm == 0) continue;
      for (std::size_t i = 0; i < width; ++i) sum[i] += part.weight * (token[i] / norm);
      largest = std::max(largest, double(std::fabs(part.weight)));
    }
    double norm = 0;
    for (const double x : sum) norm += x * x;
    norm = std::sqrt(norm);
    const bool direction = norm > kNoDirection * largest && std::isfinite(norm);
    if (!direction && t == 0) reject("the examples of the query cancel each other out");
    for (const double x : sum) combined.tokens.push_back(direction ? static_cast<float>(x / norm) : 0.0f);
  }
  return combined;
}

RerankMethod parse_rerank_method(std::string_view text) {
  for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    if (text == rerank_method_name(method)) return method;
  }
  reject("unknown rerank method \"" + std::string(text) + "\"; use none, aligned or maxsim");
}

const char* rerank_method_name(RerankMethod method) noexcept {
  switch (method) {
    case RerankMethod::kNone: return "none";
    case RerankMethod::kAligned: return "aligned";
    case RerankMethod::kMaxSim: return "maxsim";
  }
  return "unknown";
}

CoarseMethod parse_coarse_method(std::string_view text) {
  for (const CoarseMethod method :
       {CoarseMethod::kAuto, CoarseMethod::kExact, CoarseMethod::kIvfPq, CoarseMethod::kHnsw}) {
    if (text == coarse_method_name(method)) return method;
  }
  reject("unknown coarse method \"" + std::string(text) + "\"; use auto, exact, ivfpq or hnsw");
}

const char* coarse_method_name(CoarseMethod method) noexcept {
  switch (method) {
    case CoarseMethod::kAuto: return "auto";
    case CoarseMethod::kExact: return "exact";
    case CoarseMethod::kIvfPq: return "ivfpq";
    case CoarseMethod::kHnsw: return "hnsw";
  }
  return "unknown";
}

}  // namespace tessera
