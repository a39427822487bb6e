// The open library as all pages see it: the newest snapshot of its pictures, kept fresh.
#pragma once

#include <QObject>
#include <QTimer>
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

 Q_SIGNALS:
  void changed();  // another snapshot; also after clear()
  void failed(const JobError& error);

 private:
  struct Loaded {
    std::shared_ptr<const LibrarySnapshot> snapshot;
    std::optional<LibraryEncoder> encoder;
    bool read_only = false;
  };

  JobRunner& jobs_;
  std::shared_ptr<const LibrarySnapshot> snapshot_;
  std::optional<LibraryEncoder> encoder_;
  Job job_;
  bool again_ = false;
  bool loaded_ = false;
  bool read_only_ = false;
};

}  // namespace tessera::gui
