// The scores of a result in words.
#include <array>
#include <cmath>
#include <cstdio>

#include "tessera/indexer/explain.h"

namespace tessera {
namespace {

std::string score_text(float score) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", double(score));
  return text.data();
}

// 40,000 of 39,812: two digits that count, thousands set apart.
std::string round_text(double count) {
  const double step = std::pow(10.0, std::max(0.0, std::floor(std::log10(count)) - 1));
  std::array<char, 64> digits{};
  std::snprintf(digits.data(), digits.size(), "%.0f", std::round(count / step) * step);
  std::string text = digits.data();
  for (auto at = std::ptrdiff_t(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  return text;
}

// The first stage. A cosine alone says little (docs/SEARCH.md), so chance decides where it is known.
const char* whole_text(const SearchHit& hit) {
  constexpr float kSame = 0.98F;
  if (hit.coarse_score >= kSame) return "Nearly the same picture";
  if (std::isfinite(hit.by_chance)) {
    if (hit.by_chance <= 0.01) return "Very similar as a whole";
    if (hit.by_chance <= 0.1) return "Similar as a whole";
    if (hit.by_chance <= 1) return "Somewhat similar as a whole";
    return "Hardly similar as a whole";
  }
  if (hit.coarse_score >= 0.8F) return "Very similar as a whole";
  if (hit.coarse_score >= 0.6F) return "Similar as a whole";
  if (hit.coarse_score >= 0.4F) return "Somewhat similar as a whole";
  return "Hardly similar as a whole";
}

// The second stage beside the first.
const char* details_text(const SearchHit& hit) {
  const float less = hit.coarse_score - hit.rerank_score;
  if (less <= 0.05F) return "details and layout agree as well";
  if (less <= 0.2F) return "details and layout agree somewhat less";
  if (less <= 0.5F) return "details and layout agree less";
  return "details and layout differ";
}

}  // namespace

std::string match_sentence(const SearchHit& hit, const SearchOptions& options, std::int64_t searched) {
  std::string text = whole_text(hit);
  text += " (" + score_text(hit.coarse_score) + ")";
  if (options.rerank != RerankMethod::kNone) {
    text += std::string(", ") + details_text(hit) + " (" + score_text(hit.rerank_score) + ")";
  }
  text += ".";
  if (!std::isfinite(hit.by_chance) || searched < 1) return text;
  const double share = hit.by_chance / double(searched);
  constexpr double kCertain = 1e-9;
  if (share >= 0.3) return text + " A typical unrelated picture scores about as high.";
  if (share < kCertain) return text + " No unrelated picture is expected to score this high.";
  return text + " One in " + round_text(1 / share) + " unrelated pictures scores this high.";
}

}  // namespace tessera
