// The camera's date as a number.
#include "ingest/taken.h"

#include <chrono>
#include <cstdlib>
#include <string>

#include "tessera/exif.h"

namespace tessera::ingest {

std::optional<std::int64_t> date_taken(std::span<const std::uint8_t> file) {
  return clock_seconds(read_exif(file).date_taken);
}

std::optional<std::int64_t> clock_seconds(std::string_view date) {
  constexpr std::size_t kLength = 19;  // "2024-05-17 14:03:22"
  if (date.size() < kLength) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t count) {
    return std::atoi(std::string(date.substr(at, count)).c_str());
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok()) return std::nullopt;
  const std::chrono::sys_seconds time = std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) +
                                        std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
  return time.time_since_epoch().count();
}

}  // namespace tessera::ingest
