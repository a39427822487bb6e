// Exclude patterns: what matches, and what is left out without being asked for.
#include "ingest/glob.h"

#include <gtest/gtest.h>

namespace tessera::ingest {
namespace {

TEST(Glob, StarStaysWithinAComponent) {
  EXPECT_TRUE(glob_match("*.jpg", "a.jpg"));
  EXPECT_FALSE(glob_match("*.jpg", "sub/a.jpg"));
  EXPECT_TRUE(glob_match("sub/*.jpg", "sub/a.jpg"));
  EXPECT_FALSE(glob_match("*", "a/b"));
  EXPECT_TRUE(glob_match("a?c/[x-z]", "abc/y"));
  EXPECT_FALSE(glob_match("a?c/[x-z]", "abc/w"));
  EXPECT_FALSE(glob_match("A", "a"));
}

TEST(Glob, TwoStarsCrossFolders) {
  EXPECT_TRUE(glob_match("**/b", "b"));
  EXPECT_TRUE(glob_match("**/b", "a/a/b"));
  EXPECT_TRUE(glob_match("a/**", "a"));
  EXPECT_TRUE(glob_match("a/**", "a/b/c"));
  EXPECT_TRUE(glob_match("a/**/z/*.png", "a/b/z/z/1.png"));
  EXPECT_FALSE(glob_match("a/**/z", "a/b/c"));
}

TEST(Glob, NamesOfAnyBytesAreCompared) {
  EXPECT_TRUE(glob_match("caf\xe9*", "caf\xe9.jpg"));
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("\\*", "a"));
}

TEST(ExcludeRules, LeavesOutDotFilesAndFoldersOfOtherPrograms) {
  const ExcludeRules rules({});
  EXPECT_TRUE(rules.excludes("a/.git", ".git", true));
  EXPECT_TRUE(rules.excludes(".hidden.jpg", ".hidden.jpg", false));
  EXPECT_TRUE(rules.excludes(".Trash-1000", ".Trash-1000", true));
  for (const char* name : {"@eaDir", "node_modules", "$RECYCLE.BIN", ".Trashes"}) {
    EXPECT_TRUE(rules.excludes(name, name, true)) << name;
  }
  EXPECT_FALSE(rules.excludes("node_modules", "node_modules", false));
  EXPECT_FALSE(rules.excludes("holiday", "holiday", true));
}

TEST(ExcludeRules, PatternsWithASlashMatchThePathAndOthersTheName) {
  const std::vector<std::string> patterns{"*.tif", "raw/old", "cache/"};
  const ExcludeRules rules(patterns);
  EXPECT_TRUE(rules.excludes("x/y/a.tif", "a.tif", false));
  EXPECT_TRUE(rules.excludes("raw/old", "old", true));
  EXPECT_FALSE(rules.excludes("x/raw/old", "old", true));
  EXPECT_TRUE(rules.excludes("x/cache", "cache", true));
  EXPECT_FALSE(rules.excludes("x/cache", "cache", false));
}

}  // namespace
}  // namespace tessera::ingest
