// XMP sidecars: stars, flag, colour label and tags as other programs read and write them (digiKam, Lightroom,
// darktable).
//
// Sidecars are written only when asked. What is read of them at an index run goes to pictures without any mark or tag.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/curation.h"
#include "tessera/indexer/marks.h"

namespace tessera {

struct XmpData {
  Marks marks;
  std::vector<std::string> tags;  // "Places/Vienna" for one below another; in order of name
  friend bool operator==(const XmpData&, const XmpData&) = default;
};

// `photo`.xmp ("a.jpg.xmp") or, if that is not there, the photo's name with .xmp in the place of its ending ("a.xmp").
// None if there is neither.
std::optional<std::filesystem::path> find_sidecar(const std::filesystem::path& photo);

// xmp:Rating (-1 = rejected), xmp:Label, dc:subject, lr:hierarchicalSubject, digiKam's TagsList, PickLabel and
// ColorLabel, darktable's colorlabels; prefixes by their namespaces. What is not understood is left out. Throws
// kDamaged if it is no XML, kLimit above 8 MB. `name` is for messages.
XmpData parse_xmp(std::string_view text, const std::string& name);

// The sidecar's text with these marks and tags in the place of the old ones; everything else in it stays. An empty
// `text` makes a new one. Throws as parse_xmp().
std::string update_xmp(std::string_view text, const XmpData& data, const std::string& name);

struct SidecarReport {
  std::int64_t done = 0;
  std::int64_t unchanged = 0;  // said the same already
  struct Failure {
    std::filesystem::path path;
    std::string reason;
  };
  std::vector<Failure> failed;
};

// Beside each photo; an old sidecar is replaced as a whole or not at all.
SidecarReport write_sidecars(const Curation& curation, std::span<const ImageRecord> pictures);
// What the sidecars say takes the place of marks and tags; those without a sidecar stay.
SidecarReport read_sidecars(Curation& curation, std::span<const ImageRecord> pictures);

}  // namespace tessera
