// Decoded pictures for all pages that look at them.
#include "look/picture_loader.h"

#include <algorithm>

#include "tessera/error.h"

namespace tessera::gui {
namespace {

constexpr std::size_t kMostBytes = std::size_t{768} << 20;

int short_side_of(const DisplayPicture& picture) {
  return std::min(picture.levels[0].width(), picture.levels[0].height());
}

bool enough(const DisplayPicture& picture, int short_side) {
  return !picture.reduced || (short_side != PictureLoader::kFull && short_side_of(picture) >= short_side);
}

// What was asked for before covers what is asked for now.
bool covers(int before, int now) {
  return before == PictureLoader::kFull || (now != PictureLoader::kFull && before >= now);
}

}  // namespace

DisplayPicture load_from_library(JobContext& context, ImageId id, int short_side) {
  ImageRecord record = context.library().image(id);
  std::stable_partition(record.files.begin(), record.files.end(),
                        [](const FileRecord& file) { return file.state == FileState::kPresent; });
  if (record.files.empty()) throw Error(ErrorCode::kNotFound, "no file holds this picture any more");
  for (std::size_t i = 0;; ++i) {
    try {
      return load_display_picture(record.files[i].path, short_side, context.stop());
    } catch (const Error& error) {
      const bool elsewhere = error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kIo;
      if (!elsewhere || i + 1 == record.files.size()) throw;
    }
  }
}

PictureLoader& PictureLoader::of(Session& session) {
  auto* loader = session.findChild<PictureLoader*>(QString(), Qt::FindDirectChildrenOnly);
  return loader != nullptr ? *loader : *new PictureLoader(session);
}

PictureLoader::PictureLoader(Session& session) : QObject(&session), session_(session) {
  connect(&session, &Session::libraryOpened, this, &PictureLoader::clear);
}

void PictureLoader::clear() {
  cancelAll();
  entries_.clear();
  uses_.clear();
  bytes_ = 0;
}

void PictureLoader::cancelAll() {
  for (auto& [id, running] : running_) running.job.cancel();
  running_.clear();
}

std::shared_ptr<const DisplayPicture> PictureLoader::want(ImageId id, int short_side, int priority) {
  const auto entry = entries_.find(id);
  std::shared_ptr<const DisplayPicture> picture;
  if (entry != entries_.end()) {
    uses_.splice(uses_.begin(), uses_, entry->second.use);
    picture = entry->second.picture;
  }
  const auto running = running_.find(id);
  const bool asked = running != running_.end() && covers(running->second.short_side, short_side);
  if (!(picture && enough(*picture, short_side)) && !asked) load(id, short_side, priority);
  return picture;
}

QString PictureLoader::problem(ImageId id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? QString() : entry->second.problem;
}

void PictureLoader::load(ImageId id, int short_side, int priority) {
  const unsigned number = ++number_;
  Running& running = running_[id];
  running.job.cancel();
  const auto finished = [this, id, number] {
    const auto at = running_.find(id);
    if (at != running_.end() && at->second.number == number) running_.erase(at);
  };
  running.short_side = short_side;
  running.number = number;
  running.job = session_.jobs().run(
      Lane::kPictures, this,
      [id, short_side](JobContext& context) {
        return std::make_shared<const DisplayPicture>(load_from_library(context, id, short_side));
      },
      [this, id, finished](std::shared_ptr<const DisplayPicture> picture) {
        finished();
        keep(id, std::move(picture), {});
        Q_EMIT loaded(id);
      },
      [this, id, finished](const JobError& error) {
        finished();
        keep(id, nullptr, error.message);
        Q_EMIT failed(id);
      },
      priority);
}

void PictureLoader::keep(ImageId id, std::shared_ptr<const DisplayPicture> picture, const QString& problem) {
  auto at = entries_.find(id);
  if (at == entries_.end()) {
    uses_.push_front(id);
    at = entries_.emplace(id, Entry{nullptr, {}, uses_.begin()}).first;
  }
  if (at->second.picture) bytes_ -= at->second.picture->bytes();
  if (picture) bytes_ += picture->bytes();
  at->second.picture = std::move(picture);
  at->second.problem = problem;
  while (bytes_ > kMostBytes && uses_.size() > 1) {
    const auto oldest = entries_.find(uses_.back());
    if (oldest->second.picture) bytes_ -= oldest->second.picture->bytes();
    entries_.erase(oldest);
    uses_.pop_back();
  }
}

}  // namespace tessera::gui
