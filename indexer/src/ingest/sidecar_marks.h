// Marks and tags that new pictures bring with them in XMP sidecars.
#pragma once

#include <filesystem>
#include <optional>

#include "catalog/sqlite.h"
#include "tessera/indexer/xmp.h"

namespace tessera::ingest {

// None if there is no sidecar, or nothing in it that can be read or would be a mark: a sidecar never keeps a photo out.
std::optional<XmpData> sidecar_of(const std::filesystem::path& photo) noexcept;

// Within the caller's transaction: gives a content the marks unless it has any already. Not an entry of the journal,
// since nobody did it.
void import_marks(catalog::Database& db, const ContentHash& content, const XmpData& data);

}  // namespace tessera::ingest
