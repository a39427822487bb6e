// Which file of a group of duplicates to keep: rules in an order, and what they decide with the reason in words.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/types.h"

namespace tessera {

enum class KeepCriterion {
  kResolution,  // more pixels
  kSize,        // more bytes
  kOldest,      // earlier modified
  kNewest,      // later modified
  kFolder,      // below an earlier one of the rule's folders
  kRating,      // more stars
  kFormat,      // without loss before with: TIFF, PNG, BMP, PNM before WebP, JPEG, GIF
};

struct KeepRule {
  KeepCriterion criterion = KeepCriterion::kResolution;
  std::vector<std::filesystem::path> folders;  // of kFolder, best first; absolute
};

// "resolution,size,oldest,folder=/a:/b,rating": in this order, the first that tells two files apart decides. Throws
// kInvalidArgument with the accepted names.
std::vector<KeepRule> parse_keep_rules(std::string_view text);
inline constexpr std::string_view kStandardKeepRules = "rating,resolution,format,size,oldest";

// A file of the group.
struct KeepFile {
  const ImageRecord* image = nullptr;
  FileRecord file;
  int rating = 0;
  bool readable = true;  // was it when somebody looked

  bool usable() const { return file.state == FileState::kPresent && readable; }
};

struct KeepDecision {
  KeepFile file;
  bool keep = true;
  std::string reason;  // a sentence without a full stop: "640 x 480 pixels, the kept one has 1600 x 1200"
};

// One file is kept and the other ones may go. What is not `present`, or cannot be read, is never proposed to go and
// never the reason that another one goes; where no file can be read, all are kept. In order: the kept one, those that
// may go, the rest. Ties are decided by path, the lower one stays.
std::vector<KeepDecision> decide_keep(std::span<const KeepFile> files, std::span<const KeepRule> rules);

}  // namespace tessera
