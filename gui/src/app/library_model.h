// The open library as all pages see it: the newest snapshot of its pictures, kept fresh.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <memory>
#include <optional>

#include "app/library_snapshot.h"
#include "jobs/job_runner.h"

namespace tessera::gui {

// Thread rule: GUI thread.
class LibraryModel : public QObject {
  Q_OBJECT

 public:
  explicit LibraryModel(JobRunner& jobs, QObject* parent = nullptr);

  // Never null. Hold it as long as rows of it are used: refresh() brings another one.
  const std::shared_ptr<const LibrarySnapshot>& snapshot() const { return snapshot_; }
  bool loaded() const { return loaded_; }
  std::optional<LibraryEncoder> encoder() const { return encoder_; }
  bool readOnly() const { return read_only_; }  // its folder cannot be written

  void clear();
  // Reads the library again in a job. Calls while one runs are answered by one more run after it.
  void refresh();
  // The same if the library has changed since it was read, and not so often that reading takes more than a tenth of
  // the time.
  void refreshIfChanged();

 Q_SIGNALS:
  void changed();  // another snapshot; also after clear()
  void failed(const JobError& error);

 private:
  struct Loaded {
    std::shared_ptr<const LibrarySnapshot> snapshot;
    std::optional<LibraryEncoder> encoder;
    bool read_only = false;
    std::int64_t version = 0;
    qint64 ms = 0;
  };

  JobRunner& jobs_;
  std::shared_ptr<const LibrarySnapshot> snapshot_;
  std::optional<LibraryEncoder> encoder_;
  Job job_;
  Job asking_;  // whether it has changed
  std::int64_t version_ = 0;
  qint64 reading_ms_ = 0;
  QElapsedTimer read_;
  bool again_ = false;
  bool loaded_ = false;
  bool read_only_ = false;
};

}  // namespace tessera::gui
