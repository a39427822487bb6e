// Contact sheets of search results as files, and showing them.
#include "sheet_file.h"

#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "exit_code.h"
#include "tessera/indexer/contact_sheet.h"
#include "text.h"

extern char** environ;

namespace tessera::cli {
namespace {

std::string hit_note(std::size_t index, const HitRow& row) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%zu   %.3f", index + 1, row.hit.score);
  return buffer.data();
}

std::string title_of(const HitList& list) {
  std::string title = "Pictures like ";
  std::string unlike;
  bool first = true;
  for (const QueryExample& example : list.query) {
    const std::string name = example.path.filename().string();
    if (example.weight < 0) {
      unlike += (unlike.empty() ? " but not like " : ", ") + name;
    } else {
      title += (first ? "" : ", ") + name;
      first = false;
    }
  }
  return title + unlike;
}

ContactSheet make_sheet(const HitList& list) {
  ContactSheet sheet;
  sheet.title = title_of(list);
  for (const QueryExample& example : list.query) {
    SheetPicture picture;
    picture.path = example.path;
    picture.caption = example.path.filename().string();
    picture.negative = example.weight < 0;
    picture.note = picture.negative ? "not like" : "like";
    if (!example.region.empty()) picture.note += "  (region " + example.region + ")";
    sheet.query.push_back(std::move(picture));
  }
  for (std::size_t i = 0; i < list.rows.size(); ++i) {
    SheetPicture picture;
    picture.path = shown_file(list.rows[i].record, list.under).path;
    picture.caption = picture.path.filename().string();
    picture.note = hit_note(i, list.rows[i]);
    sheet.hits.push_back(std::move(picture));
  }
  return sheet;
}

bool has_display() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  return set("DISPLAY") || set("WAYLAND_DISPLAY");
}

}  // namespace

void check_sheet_name(const std::filesystem::path& path) {
  if (is_contact_sheet_name(path)) return;
  throw UsageError("a contact sheet is a .jpg, .png or .html file, not " + path.string());
}

void write_sheet(const HitList& list, const std::filesystem::path& path, Console& console) {
  write_sheet(make_sheet(list), path, console);
}

void write_sheet(ContactSheet sheet, const std::filesystem::path& path, Console& console) {
  check_sheet_name(path);
  write_contact_sheet(std::move(sheet), path);
  console.note("contact sheet: " + path.string());
}

void open_in_viewer(const std::filesystem::path& path, Console& console) {
  if (!has_display()) {
    console.note("no display to show it on");
    return;
  }
  std::string program = "xdg-open";
  std::string file = std::filesystem::absolute(path).string();
  const std::array<char*, 3> arguments = {program.data(), file.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // ignored here, and that would be inherited
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);  // its messages are no results
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    console.warning("xdg-open cannot be started; open " + file + " yourself");
    return;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) console.warning("xdg-open could not show " + file);
}

}  // namespace tessera::cli
