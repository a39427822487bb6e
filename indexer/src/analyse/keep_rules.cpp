// Which file of a group of duplicates to keep.
#include "tessera/indexer/keep_rules.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <utility>

#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::array<std::pair<std::string_view, KeepCriterion>, 7> kCriteria = {
    {{"resolution", KeepCriterion::kResolution},
     {"size", KeepCriterion::kSize},
     {"oldest", KeepCriterion::kOldest},
     {"newest", KeepCriterion::kNewest},
     {"folder", KeepCriterion::kFolder},
     {"rating", KeepCriterion::kRating},
     {"format", KeepCriterion::kFormat}}};

[[noreturn]] void refuse(std::string_view text) {
  throw Error(ErrorCode::kInvalidArgument,
              "unknown rule \"" + std::string(text) +
                  "\"; use resolution, size, oldest, newest, folder=DIR[:DIR...], rating or format");
}

KeepRule parse_rule(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('='));
  const auto found =
      std::find_if(kCriteria.begin(), kCriteria.end(), [&](const auto& each) { return each.first == name; });
  if (found == kCriteria.end()) refuse(text);
  KeepRule rule{found->second, {}};
  const bool has_value = name.size() < text.size();
  if (has_value != (rule.criterion == KeepCriterion::kFolder)) refuse(text);
  std::string_view rest = has_value ? text.substr(name.size() + 1) : std::string_view();
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    if (folder.empty()) refuse(text);
    std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
    if (!path.has_filename() && path != path.root_path()) path = path.parent_path();
    rule.folders.push_back(std::move(path));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
  }
  if (has_value && rule.folders.empty()) refuse(text);
  return rule;
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

std::int64_t folder_rank(const KeepFile& file, const KeepRule& rule) {
  for (std::size_t i = 0; i < rule.folders.size(); ++i) {
    if (is_below(file.file.path, rule.folders[i])) return static_cast<std::int64_t>(i);
  }
  return static_cast<std::int64_t>(rule.folders.size());
}

bool is_lossless(const std::string& format) {
  return format == "tiff" || format == "png" || format == "bmp" || format == "pnm";
}

// Larger is better.
std::int64_t merit(const KeepFile& file, const KeepRule& rule) {
  switch (rule.criterion) {
    case KeepCriterion::kResolution: return std::int64_t(file.image->width) * file.image->height;
    case KeepCriterion::kSize: return static_cast<std::int64_t>(file.file.bytes);
    case KeepCriterion::kOldest: return -file.file.mtime_ns;
    case KeepCriterion::kNewest: return file.file.mtime_ns;
    case KeepCriterion::kFolder: return -folder_rank(file, rule);
    case KeepCriterion::kRating: return file.rating;
    case KeepCriterion::kFormat: return is_lossless(file.image->format) ? 1 : 0;
  }
  return 0;
}

std::string date_text(std::int64_t mtime_ns) {
  const std::time_t seconds = static_cast<std::time_t>(mtime_ns / 1'000'000'000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

std::string fact(const KeepFile& file, const KeepRule& rule) {
  switch (rule.criterion) {
    case KeepCriterion::kResolution:
      return std::to_string(file.image->width) + " x " + std::to_string(file.image->height) + " pixels";
    case KeepCriterion::kSize: return std::to_string(file.file.bytes) + " bytes";
    case KeepCriterion::kOldest:
    case KeepCriterion::kNewest: return "modified " + date_text(file.file.mtime_ns);
    case KeepCriterion::kFolder: return "in " + file.file.path.parent_path().string();
    case KeepCriterion::kRating: return std::to_string(file.rating) + (file.rating == 1 ? " star" : " stars");
    case KeepCriterion::kFormat: return file.image->format;
  }
  return {};
}

// The first rule that tells them apart; null if none does.
const KeepRule* deciding(const KeepFile& a, const KeepFile& b, std::span<const KeepRule> rules) {
  for (const KeepRule& rule : rules) {
    if (merit(a, rule) != merit(b, rule)) return &rule;
  }
  return nullptr;
}

bool is_better(const KeepFile& a, const KeepFile& b, std::span<const KeepRule> rules) {
  const KeepRule* rule = deciding(a, b, rules);
  return rule != nullptr ? merit(a, *rule) > merit(b, *rule) : a.file.path < b.file.path;
}

std::string reason_to_go(const KeepFile& file, const KeepFile& kept, std::span<const KeepRule> rules) {
  const KeepRule* rule = deciding(file, kept, rules);
  if (rule == nullptr) return "equal by every rule; the kept one comes first by path";
  return fact(file, *rule) + ", the kept one " + fact(kept, *rule);
}

}  // namespace

std::vector<KeepRule> parse_keep_rules(std::string_view text) {
  std::vector<KeepRule> rules;
  while (true) {
    const std::string_view one = text.substr(0, text.find(','));
    rules.push_back(parse_rule(one));
    if (one.size() == text.size()) return rules;
    text.remove_prefix(one.size() + 1);
  }
}

std::vector<KeepDecision> decide_keep(std::span<const KeepFile> files, std::span<const KeepRule> rules) {
  std::vector<KeepFile> eligible;
  std::vector<KeepDecision> others;
  for (const KeepFile& file : files) {
    if (file.file.state != FileState::kPresent) {
      others.push_back({file, true, std::string(file_state_name(file.file.state)) + ", so it is left alone"});
    } else if (!file.readable || !file.image->error.empty()) {
      others.push_back({file, true, "cannot be read, so it is left alone"});
    } else {
      eligible.push_back(file);
    }
  }
  std::sort(eligible.begin(), eligible.end(),
            [&](const KeepFile& a, const KeepFile& b) { return is_better(a, b, rules); });
  std::vector<KeepDecision> decisions;
  for (const KeepFile& file : eligible) {
    if (decisions.empty()) {
      std::string reason = "the only one that is there and can be read";
      if (eligible.size() > 1) {
        const KeepRule* rule = deciding(file, eligible[1], rules);
        reason = rule == nullptr ? "first by path of equals" : fact(file, *rule);
      }
      decisions.push_back({file, true, reason});
    } else {
      decisions.push_back({file, false, reason_to_go(file, eligible.front(), rules)});
    }
  }
  decisions.insert(decisions.end(), others.begin(), others.end());
  return decisions;
}

}  // namespace tessera
