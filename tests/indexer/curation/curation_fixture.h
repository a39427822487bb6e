// What the tests of curation share: contents without files, and the whole state as one comparable value.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "library_fixture.h"
#include "tessera/indexer/curation.h"

namespace tessera::testing {

// A content that no file has.
inline ContentHash made_up_content(unsigned number) {
  ContentHash hash;
  for (std::size_t i = 0; i < hash.digest.size(); ++i) {
    hash.digest[i] = static_cast<std::uint8_t>((number * 2654435761u) >> (8 * (i % 4)));
  }
  hash.digest[15] = static_cast<std::uint8_t>(number);
  hash.bytes = 1000 + number;
  return hash;
}

inline std::vector<ContentHash> made_up_contents(unsigned count) {
  std::vector<ContentHash> contents;
  for (unsigned i = 0; i < count; ++i) contents.push_back(made_up_content(i));
  return contents;
}

using Triple = std::tuple<int, int, int>;

struct CurationState {
  std::map<ContentHash, Triple> marks;
  std::map<ContentHash, std::vector<std::string>> tags;
  std::map<std::string, std::pair<std::string, std::vector<ContentHash>>> collections;  // search, contents
  std::map<std::pair<ContentHash, ContentHash>, int> verdicts;
  friend bool operator==(const CurationState&, const CurationState&) = default;
};

inline CurationState state_of(const Curation& curation, const std::vector<ContentHash>& contents) {
  CurationState state;
  for (const ContentHash& content : contents) {
    const Marks marks = curation.marks(content);
    if (marks != Marks{}) {
      state.marks[content] = {static_cast<int>(marks.flag), marks.rating, static_cast<int>(marks.label)};
    }
    if (auto tags = curation.tags(content); !tags.empty()) state.tags[content] = std::move(tags);
  }
  for (const Collection& collection : curation.collections()) {
    state.collections[collection.name] = {collection.search, curation.collection_contents(collection.id)};
  }
  for (const PairVerdict& found : curation.verdicts()) {
    state.verdicts[std::minmax(found.pair.a, found.pair.b)] = static_cast<int>(found.verdict);
  }
  return state;
}

inline void make_library(const std::filesystem::path& dir) { Library::open(dir, OpenMode::kCreate); }

}  // namespace tessera::testing
