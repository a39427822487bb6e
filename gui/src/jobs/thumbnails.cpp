// Thumbnails for all views.
#include "jobs/thumbnails.h"

#include <QImage>
#include <algorithm>
#include <cstring>
#include <thread>

namespace tessera::gui {
namespace {

constexpr qsizetype kMemoryKiB = 400 * 1024;

std::size_t most_running() { return 2 * std::max(2U, std::thread::hardware_concurrency()); }

// In the format that pixmaps have inside, so that nothing is left for the GUI thread to convert.
QImage to_qimage(const Image& image) {
  QImage result(image.width, image.height, QImage::Format_RGB32);
  const std::uint8_t* from = image.rgb.data();
  for (int y = 0; y < image.height; ++y) {
    auto* line = reinterpret_cast<QRgb*>(result.scanLine(y));
    for (int x = 0; x < image.width; ++x, from += 3) line[x] = qRgb(from[0], from[1], from[2]);
  }
  return result;
}

}  // namespace

std::size_t ContentHasher::operator()(const ContentHash& hash) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, hash.digest.data(), sizeof value);
  return value;
}

Thumbnails::Thumbnails(JobRunner& jobs, QObject* parent)
    : QObject(parent),
      jobs_(jobs),
      cache_(std::make_shared<ThumbnailCache>(thumbnail_cache_dir())),
      pixmaps_(kMemoryKiB) {}

QPixmap Thumbnails::find(const ContentHash& hash, int size) {
  const QPixmap* pixmap = pixmaps_.object({hash, size});
  return pixmap == nullptr ? QPixmap() : *pixmap;
}

QPixmap Thumbnails::findAny(const ContentHash& hash, int size) {
  if (QPixmap exact = find(hash, size); !exact.isNull()) return exact;
  for (auto at = ThumbnailCache::kSizes.rbegin(); at != ThumbnailCache::kSizes.rend(); ++at) {
    if (QPixmap other = find(hash, *at); !other.isNull()) return other;
  }
  return {};
}

QString Thumbnails::problem(const ContentHash& hash) const {
  const auto found = problems_.find(hash);
  return found == problems_.end() ? QString() : found->second;
}

void Thumbnails::want(const QObject* client, int size, std::vector<Wish> wishes) {
  Queue& queue = queues_[client];
  queue.size = size;
  queue.wishes = std::move(wishes);
  queue.next = 0;
  const auto at = std::find(order_.begin(), order_.end(), client);
  if (at == order_.end()) {
    connect(client, &QObject::destroyed, this, [this, client] {
      queues_.erase(client);
      order_.erase(std::find(order_.begin(), order_.end(), client));
    });
    order_.insert(order_.begin(), client);
  } else {
    std::rotate(order_.begin(), at, at + 1);
  }
  dispatch();
}

bool Thumbnails::waiting(const QObject* client) const {
  const auto found = queues_.find(client);
  return found != queues_.end() && (found->second.next < found->second.wishes.size() || found->second.running > 0);
}

void Thumbnails::forgetProblems() { problems_.clear(); }

void Thumbnails::dispatch() {
  for (const QObject* client : order_) {
    Queue& queue = queues_[client];
    while (queue.next < queue.wishes.size() && running_.size() < most_running()) {
      const Wish& wish = queue.wishes[queue.next++];
      const Key key{wish.hash, queue.size};
      const bool known = pixmaps_.contains(key) || problems_.contains(wish.hash) ||
                         std::find(running_.begin(), running_.end(), key) != running_.end();
      if (!known) make(client, queue, wish);
    }
  }
}

void Thumbnails::make(const QObject* client, Queue& queue, const Wish& wish) {
  const Key key{wish.hash, queue.size};
  running_.push_back(key);
  ++queue.running;
  jobs_.run(
      Lane::kPictures, this,
      [cache = cache_, wish, size = queue.size](JobContext&) {
        return to_qimage(cache->get(wish.hash, wish.path, size));
      },
      [this, client, key](QImage image) {
        const qsizetype kib = std::max<qsizetype>(1, image.sizeInBytes() / 1024);
        pixmaps_.insert(key, new QPixmap(QPixmap::fromImage(std::move(image))), kib);
        finished(client, key);
      },
      [this, client, key](const JobError& error) {
        problems_[key.hash] = error.message;
        finished(client, key);
      });
}

void Thumbnails::finished(const QObject* client, const Key& key) {
  running_.erase(std::find(running_.begin(), running_.end(), key));
  if (const auto queue = queues_.find(client); queue != queues_.end()) --queue->second.running;
  Q_EMIT ready(key.hash);
  dispatch();
  if (running_.empty()) Q_EMIT settled();
  if (cache_->wants_trim() && !trimming_) trim();
}

void Thumbnails::trim() {
  trimming_ = true;
  jobs_.run(
      Lane::kLong, this, [cache = cache_](JobContext&) { cache->trim(); }, [this] { trimming_ = false; });
}

}  // namespace tessera::gui
