// One index run: walk, decode threads, encoder and commits, joined by bounded queues.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

#include "catalog/catalog.h"
#include "store/segment_format.h"
#include "tessera/encoder.h"
#include "tessera/indexer/ingest.h"

namespace tessera::ingest {

struct PipelineSetup {
  std::filesystem::path library_dir;
  std::filesystem::path catalog_path;
  std::filesystem::path segments_dir;
  SegmentSpec spec;
  ResizeSpec resize;
};

// Commits on the calling thread, which alone uses `catalog`; every encoder is used by one thread of its own, which
// takes the next batch when it is free. The threads it starts have connections of their own and end before it returns
// or throws. `roots` are stored paths.
IngestReport run_pipeline(const PipelineSetup& setup, catalog::Catalog& catalog, std::span<const std::string> roots,
                          const IngestOptions& options, std::span<ImageEncoder* const> encoders,
                          const IngestObserver& observer, std::stop_token stop);

}  // namespace tessera::ingest
