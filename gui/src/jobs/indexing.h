// Indexing in this process: one run at a time into the open library, which can be browsed meanwhile.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <deque>
#include <filesystem>
#include <optional>
#include <vector>

#include "jobs/job_runner.h"
#include "jobs/library_encoder.h"

namespace tessera::gui {

struct IndexingPlan {
  std::filesystem::path library;             // made if it is not there
  std::vector<std::filesystem::path> roots;  // empty = those that were indexed before
  bool change_model = false;                 // encode everything again with the program's model
};

// Thread rule: GUI thread. A pause ends the run cleanly and lets the library go; resuming goes on where it was.
class Indexing : public QObject {
  Q_OBJECT

 public:
  enum class State { kIdle, kRunning, kPausing, kPaused, kStopping };

  Indexing(JobRunner& jobs, QObject* parent = nullptr);

  State state() const { return state_; }
  const IndexingPlan& plan() const { return plan_; }
  const IngestProgress& progress() const { return progress_; }
  double rate() const;                        // pictures a second, of the last seconds; 0 = not known yet
  std::optional<double> secondsLeft() const;  // only once all files are found

  void start(const IndexingPlan& plan, const Encoders& encoders);
  void pause();
  void resume();
  void stop();

 Q_SIGNALS:
  void stateChanged();
  void progressed();
  void opened(const std::filesystem::path& library);  // it is there, and may be read
  void finished(const tessera::IngestReport& report);
  void failed(const tessera::gui::JobError& error);

 private:
  void run();
  void setState(State state);
  void note(const IngestProgress& progress);

  struct Sample {
    qint64 ms;
    std::int64_t done;
  };

  JobRunner& jobs_;
  IndexingPlan plan_;
  Encoders encoders_;
  State state_ = State::kIdle;
  std::shared_ptr<std::stop_source> stop_;
  IngestProgress progress_;
  std::deque<Sample> samples_;
  QElapsedTimer clock_;
};

}  // namespace tessera::gui
