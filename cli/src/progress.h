// Progress of long work on standard error: a live bar on a terminal, a line every 30 seconds otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "output.h"

namespace tessera::cli {

struct ProgressState {
  std::int64_t done = 0;
  std::int64_t total = 0;
  bool total_known = true;  // false while the walk is still finding files
  std::int64_t failed = 0;
  std::int64_t seen = 0;  // files found by the walk; 0 = not shown
  double seconds = 0;     // since the start
};

// Items per second over the last few seconds, so that rate and remaining time follow changes of pace.
class RateEstimator {
 public:
  void add(double seconds, std::int64_t done);
  double rate() const { return rate_; }

 private:
  double last_seconds_ = 0;
  std::int64_t last_done_ = 0;
  double rate_ = 0;
  bool started_ = false;
};

// One line of at most `columns`, e.g. " 42% |████▎     | 420/1,000  35.2/s  0:16 left  2 failed".
std::string progress_line(const ProgressState& state, double rate, int columns, bool utf8);
// The line for logs, e.g. "420 of 1,000 pictures (42%), 35.2/s, 0:16 left, 2 failed".
std::string progress_log_line(const ProgressState& state, double rate);

// Thread rule: one thread.
class Progress {
 public:
  explicit Progress(Console& console) : console_(console) {}
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const ProgressState& state);
  void finish();  // clears the bar

 private:
  Console& console_;
  RateEstimator rate_;
  double next_seconds_ = 0;
  bool first_ = true;
};

}  // namespace tessera::cli
