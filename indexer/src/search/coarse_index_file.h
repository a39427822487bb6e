// The file of a coarse index: FAISS part, manifest, footer (layout in coarse_index.h). Internal: names FAISS types.
#pragma once

#include <faiss/Index.h>

#include <filesystem>
#include <memory>

#include "search/coarse_index.h"

namespace tessera {

// Sets info.file_bytes. Throws kIo, kDiskFull.
void write_coarse_file(const std::filesystem::path& path, const faiss::Index& index, CoarseIndexInfo& info);

struct CoarseFile {
  std::unique_ptr<faiss::Index> index;
  CoarseIndexInfo info;
};

// Throws kNotFound, kIo, kVersion, kDamaged (checksums, manifest, or a FAISS part that is not what the manifest says).
CoarseFile read_coarse_file(const std::filesystem::path& path);

}  // namespace tessera
