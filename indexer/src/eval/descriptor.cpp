// Names of descriptors.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tessera/error.h"
#include "tessera/indexer/eval_descriptors.h"

namespace tessera::eval {
namespace {

using Kind = Descriptor::Kind;

constexpr std::string_view kTokensPrefix = "tokens:";
constexpr int kMostTokens = 1 << 20;
constexpr std::array<std::pair<std::string_view, Kind>, 8> kNames = {{{"token0", Kind::kToken0},
                                                                      {"summary", Kind::kSummary},
                                                                      {"phash", Kind::kPHash},
                                                                      {"dhash", Kind::kDHash},
                                                                      {"colorhist", Kind::kColorHist},
                                                                      {"hog", Kind::kHog},
                                                                      {"gist", Kind::kGist},
                                                                      {"random", Kind::kRandom}}};

}  // namespace

Descriptor parse_descriptor(std::string_view text) {
  for (const auto& [name, kind] : kNames) {
    if (text == name) return {kind, 0};
  }
  if (text.starts_with(kTokensPrefix)) {
    const std::string_view digits = text.substr(kTokensPrefix.size());
    int count = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (error == std::errc{} && end == digits.data() + digits.size() && count >= 1 && count <= kMostTokens) {
      return {Kind::kTokens, count};
    }
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown descriptor \"" + std::string(text) +
                  "\"; use token0, tokens:N, summary, phash, dhash, colorhist, hog, gist or random");
}

std::string descriptor_name(const Descriptor& descriptor) {
  if (descriptor.kind == Kind::kTokens) return std::string(kTokensPrefix) + std::to_string(descriptor.tokens);
  const auto found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& each) { return each.second == descriptor.kind; });
  return std::string(found->first);
}

bool is_baseline(const Descriptor& descriptor) noexcept {
  switch (descriptor.kind) {
    case Kind::kPHash:
    case Kind::kDHash:
    case Kind::kColorHist:
    case Kind::kHog:
    case Kind::kGist: return true;
    default: return false;
  }
}

bool needs_model(const Descriptor& descriptor) noexcept { return !is_baseline(descriptor); }

}  // namespace tessera::eval
