// Progress of long work on standard error.
#include "progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "text.h"

namespace tessera::cli {
namespace {

constexpr double kBarInterval = 0.1;   // seconds between redraws on a terminal
constexpr double kLogInterval = 30.0;  // seconds between lines elsewhere
constexpr double kRateInterval = 0.5;  // seconds between measurements of the rate
constexpr double kRateMemory = 8.0;    // seconds over which the rate is smoothed
constexpr int kLargestBar = 30;

std::string rate_text(double rate) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), rate < 99.95 ? "%.1f/s" : "%.0f/s", rate);
  return buffer.data();
}

double fraction(const ProgressState& state) {
  return state.total > 0 ? std::clamp(double(state.done) / double(state.total), 0.0, 1.0) : 0.0;
}

// "0:16 left", or empty while nothing can be said.
std::string remaining_text(const ProgressState& state, double rate) {
  if (!state.total_known || rate <= 0 || state.done <= 0) return {};
  return clock_duration(double(state.total - state.done) / rate) + " left";
}

}  // namespace

void RateEstimator::add(double seconds, std::int64_t done) {
  if (!started_) {
    started_ = true;
    last_seconds_ = seconds;
    last_done_ = done;
    return;
  }
  const double elapsed = seconds - last_seconds_;
  if (elapsed < kRateInterval) return;
  const double now = double(done - last_done_) / elapsed;
  const double keep = rate_ > 0 ? std::exp(-elapsed / kRateMemory) : 0.0;
  rate_ = keep * rate_ + (1 - keep) * now;
  last_seconds_ = seconds;
  last_done_ = done;
}

std::string progress_line(const ProgressState& state, double rate, int columns, bool utf8) {
  std::string right;
  if (state.total_known) {
    right = human_count(state.done) + "/" + human_count(state.total);
  } else {
    right = human_count(state.done) + " done, " + human_count(state.seen) + " files found";
  }
  if (rate > 0) right += "  " + rate_text(rate);
  const std::string remaining = remaining_text(state, rate);
  if (!remaining.empty()) right += "  " + remaining;
  if (state.failed > 0) right += "  " + human_count(state.failed) + " failed";
  if (!state.total_known) return elide_middle(right, columns, utf8);

  std::array<char, 16> percent{};
  std::snprintf(percent.data(), percent.size(), "%3d%%", static_cast<int>(fraction(state) * 100));
  std::string line = percent.data();
  const int room = std::min(kLargestBar, columns - display_width(line) - display_width(right) - 4);
  if (room >= 5) line += " |" + bar(fraction(state), room, utf8) + "|";
  return elide_middle(line + " " + right, columns, utf8);
}

std::string progress_log_line(const ProgressState& state, double rate) {
  std::string line = human_count(state.done);
  if (state.total_known) {
    line +=
        " of " + plural(state.total, "picture") + " (" + std::to_string(static_cast<int>(fraction(state) * 100)) + "%)";
  } else {
    line += state.done == 1 ? " picture" : " pictures";
    line += " done, " + plural(state.seen, "file") + " found so far";
  }
  if (rate > 0) line += ", " + rate_text(rate);
  const std::string remaining = remaining_text(state, rate);
  if (!remaining.empty()) line += ", " + remaining;
  if (state.failed > 0) line += ", " + human_count(state.failed) + " failed";
  return line;
}

void Progress::update(const ProgressState& state) {
  if (console_.quiet()) return;
  rate_.add(state.seconds, state.done);
  const bool live = console_.terminal().is_terminal;
  if (first_) {
    first_ = false;
    next_seconds_ = live ? 0 : kLogInterval;
  }
  if (state.seconds < next_seconds_) return;
  next_seconds_ = state.seconds + (live ? kBarInterval : kLogInterval);
  if (live) {
    const Terminal now = Terminal::detect(2, ColorMode::kNever);  // the window may have been resized
    console_.status(progress_line(state, rate_.rate(), std::max(now.columns - 1, 10), console_.terminal().utf8));
  } else {
    console_.note(progress_log_line(state, rate_.rate()));
  }
}

void Progress::finish() { console_.status(""); }

}  // namespace tessera::cli
