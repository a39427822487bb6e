// Walking the roots: finds image files, compares them with the catalog and says what needs reading.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "catalog/catalog.h"
#include "ingest/glob.h"
#include "tessera/indexer/ingest.h"

namespace tessera::ingest {

// A file that is new, changed, or to be tried again.
struct WalkItem {
  std::int64_t sequence = 0;  // order of the walk: by folder, then by name
  std::string path;
  catalog::FileStamp stamp;
};

struct MissingFile {
  std::int64_t file = 0;           // catalog id
  std::int64_t last_seen_run = 0;  // the last run known to have found it
};

// What a walk concluded about files that are not read.
struct WalkFindings {
  std::vector<std::int64_t> present_again;  // were missing or offline, are there unchanged
  std::vector<MissingFile> missing;
  std::vector<std::string> offline_roots;
  std::vector<catalog::Root> walked_roots;  // complete_run still that of the past
  std::vector<IngestFailure> failures;      // folders and roots that could not be read
  std::int64_t failed_before = 0;
  double seconds = 0;
  bool complete = false;  // false: stopped on request
};

struct WalkCounters {
  std::atomic<std::int64_t> seen{0};
  std::atomic<std::int64_t> unchanged{0};
  std::atomic<std::int64_t> to_do{0};
};

// Thread rule: one thread, which owns the catalog connection given.
class Walk {
 public:
  using Sink = std::function<bool(WalkItem&&)>;  // false: stop

  Walk(catalog::Catalog& catalog, const IngestOptions& options, const std::string& library_dir, WalkCounters& counters);

  // Roots are stored paths; folders or single files. A folder that is reached twice is walked once.
  WalkFindings run(std::span<const std::string> roots, const Sink& sink, std::stop_token stop);

 private:
  using FolderKey = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct Listing;

  void walk_root(const std::string& root);
  void walk_file_root(const std::string& path);
  void root_unreachable(const std::string& root, int reason);
  bool is_empty_mount_point(const catalog::Root& now, const std::optional<catalog::Root>& before);
  void walk_folder(const std::string& path, std::vector<std::string>& pending);
  Listing read_folder(int fd, const std::string& path);
  void classify_folder(int fd, const std::string& path, Listing& listing);
  void classify(const std::string& path, const catalog::FileStamp& stamp, const catalog::KnownFile* known);
  void conclude_vanished_folders(const std::string& root);
  bool is_unknown(const std::string& folder, const std::string& root) const;
  void fail(const std::string& path, const char* action, int reason);

  catalog::Catalog& catalog_;
  const IngestOptions& options_;
  ExcludeRules rules_;
  FolderKey library_{0, 0};
  WalkCounters& counters_;
  const Sink* sink_ = nullptr;
  std::stop_token stop_;
  bool stopped_ = false;
  std::int64_t sequence_ = 0;
  std::string root_;  // being walked
  std::int64_t root_last_run_ = 0;
  std::unordered_set<std::string> named_files_;  // roots that are files
  std::set<FolderKey> visited_;
  std::unordered_set<std::string> visited_paths_;
  std::unordered_set<std::string> unknown_;  // folders about whose inside nothing is concluded
  WalkFindings findings_;
};

}  // namespace tessera::ingest
