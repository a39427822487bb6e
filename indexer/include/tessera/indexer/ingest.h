// Indexing a collection: options, progress and the summary of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tessera/image.h"
#include "tessera/resize.h"

namespace tessera {

struct IngestOptions {
  // Glob patterns (fnmatch; `*` does not cross `/`, `**` does) against the path below the root and against each file or
  // folder name; on top of the built-in ones: dot-files, @eaDir, node_modules, trash folders.
  std::vector<std::string> exclude;
  bool follow_symlinks = false;   // loops are recognised by device and inode
  bool retry_failed = false;      // read again what failed before although it has not changed
  int decode_threads = 0;         // 0 = one per core
  int batch = 0;                  // images per encoder call; 0 = chosen for the model
  int images_per_segment = 1024;  // an open segment is what a crash can lose
  // > 0: the first segment has so many and each next one twice as many, up to images_per_segment, so that the first
  // pictures can be searched soon.
  int first_segment = 0;
  ImageLimits limits;
};

struct IngestProgress {
  std::int64_t files_seen = 0;  // by the walk so far
  bool walk_done = false;
  std::int64_t files_unchanged = 0;
  std::int64_t to_do = 0;  // files that need reading
  std::int64_t done = 0;   // of those
  std::int64_t failed = 0;
  double seconds = 0;
};

struct IngestFailure {
  std::filesystem::path path;
  std::string code;  // error_code_name()
  std::string reason;
};

struct IngestReport {
  std::int64_t files_seen = 0;        // candidates by extension
  std::int64_t unchanged = 0;         // same size and time as in the catalog: not opened
  std::int64_t encoded = 0;           // new pictures
  std::int64_t known_content = 0;     // new or moved paths of pictures already encoded
  std::int64_t missing = 0;           // known files that are no longer there
  std::vector<IngestFailure> failed;  // this run
  std::int64_t failed_before = 0;     // unchanged files with a recorded failure, not retried
  bool cancelled = false;
  double seconds = 0;
  double walk_seconds = 0;
  double decode_seconds = 0;  // sum over decode threads
  double encode_seconds = 0;  // sum over encoders
};

using IngestObserver = std::function<void(const IngestProgress&)>;  // called from the ingest thread, about 10 times/s

}  // namespace tessera
