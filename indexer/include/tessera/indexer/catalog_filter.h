// Which pictures of a library are meant: by marks, tags, folders, dates, sizes and text; the same for `list`, `search`
// and the window.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/marks.h"
#include "tessera/indexer/types.h"

namespace tessera {

// Both ends belong to it; an end that is missing is open.
template <typename T>
struct Range {
  std::optional<T> least = {};
  std::optional<T> most = {};

  bool empty() const { return !least && !most; }
  bool holds(const T& value) const { return (!least || value >= *least) && (!most || value <= *most); }
  friend bool operator==(const Range&, const Range&) = default;
};

// Everything must hold; what is empty keeps all. A picture passes by one of its files: that file is below one of the
// folders, has the state, and all words in its path.
struct CatalogFilter {
  Range<int> rating;
  std::vector<Flag> flags;         // one of them
  std::vector<ColorLabel> labels;  // one of them
  // A tag stands for itself and for all below it ("Places" for "Places/Vienna").
  std::vector<std::string> tags;             // all of them
  std::vector<std::string> any_tags;         // one of them
  std::vector<std::string> no_tags;          // none of them
  bool untagged = false;                     // without any tag
  std::vector<std::filesystem::path> under;  // folders or single files; one of them
  // Seconds from 1970 by the camera's clock (ImageRecord::taken); of a picture without it the local time of its oldest
  // file.
  Range<std::int64_t> date;
  Range<std::int64_t> bytes;
  Range<std::int64_t> pixels;  // width * height
  Range<std::int64_t> side;    // the longer one
  std::string text;            // words, each somewhere in the path; ASCII letters match both cases
  std::string collection;      // by name; a saved search holds what its filter keeps
  std::optional<FileState> state;
  bool with_trashed = false;  // also pictures all of whose files are in the trash

  bool empty() const {  // keeps all but what is in the trash
    CatalogFilter all;
    all.with_trashed = with_trashed;
    return *this == all;
  }
  friend bool operator==(const CatalogFilter&, const CatalogFilter&) = default;
};

// One condition by name and value, as the command line has it; throws kInvalidArgument.
//   rating 3 | 3.. | ..2 | 2..4        flag pick,none          label red,blue
//   tag NAME   any-tag NAME   no-tag NAME   untagged           under PATH    text WORDS    collection NAME
//   date 2019 | 2019-05 | 2019-05-17 | 2018..2019-06           state present|missing|offline
//   size 2M.. (bytes)    pixels 12M..    side 1920..4000       (k, M, G are powers of 1000)
void add_filter_term(CatalogFilter& filter, std::string_view name, std::string_view value);

// The filter as lines of NAME VALUE, and back: what a saved search keeps. Throws kInvalidArgument.
std::string filter_text(const CatalogFilter& filter);
CatalogFilter parse_filter(std::string_view text);

}  // namespace tessera
