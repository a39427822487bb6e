// The program as a shell sees it: help, usage errors, exit codes, closed and full standard output.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "help.h"
#include "interrupt.h"
#include "option_text.h"
#include "program.h"
#include "run_tessera.h"
#include "test_paths.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::Surroundings;
using testing::TemporaryFolder;

TEST(Program, PrintsVersionAndHelpOnStandardOutput) {
  const Outcome version_run = run_tessera({"--version"});
  EXPECT_EQ(version_run.exit_code, 0);
  EXPECT_EQ(version_run.out, std::string("tessera ") + version() + "\n");
  const Outcome help = run_tessera({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("Usage: tessera COMMAND"));
  EXPECT_EQ(help.err, "");
}

TEST(Program, EveryCommandHasHelpWithAnExampleAndAManualPage) {
  const Program program;
  ASSERT_GE(program.commands().size(), 16U);
  for (const Command& command : program.commands()) {
    const std::string name = command.app->get_name();
    const std::string help = command_help(program.root(), command);
    EXPECT_THAT(help, HasSubstr("Usage: tessera " + name));
    ASSERT_FALSE(command.examples.empty()) << name;
    EXPECT_THAT(help, HasSubstr(command.examples[0].command));
    for (const OptionText& option : option_texts(*command.app))
      EXPECT_FALSE(option.text.empty()) << name << option.label;
    const std::string man = command_man(program.root(), command, "1.2.3");
    EXPECT_EQ(man.rfind(".TH TESSERA\\-", 0), 0U) << name;
    EXPECT_THAT(man, HasSubstr(".SH EXAMPLES\n"));
    EXPECT_EQ(run_tessera({name, "--help"}).out, help);
  }
}

TEST(Program, HelpFitsEightyColumns) {
  const Program program;
  for (const Command& command : program.commands()) {
    std::istringstream lines(command_help(program.root(), command));
    for (std::string line; std::getline(lines, line);) {
      const bool verbatim =
          line.starts_with("Usage:") || line.starts_with("tessera ") || line.starts_with("  tessera ");
      EXPECT_TRUE(verbatim || line.size() <= 80) << line;
    }
  }
}

TEST(Program, BashCanReadTheCompletion) {
  const TemporaryFolder folder;
  const std::string script = run_tessera({"help", "--completion"}).out;
  const std::filesystem::path file = folder / "completion";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::write(fd, script.data(), script.size()), static_cast<ssize_t>(script.size()));
  ::close(fd);
  const std::string command =
      "bash -c 'source " + file.string() +
      "; COMP_WORDS=(tessera sea); COMP_CWORD=1; _tessera; [[ ${COMPREPLY[*]} == search ]] && "
      "COMP_WORDS=(tessera search --reg); COMP_CWORD=2; _tessera; [[ ${COMPREPLY[*]} == --region ]]'";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Program, UsageErrorsExitWithTwoAndSayWhereHelpIs) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"serach"},
                                                       {"search"},
                                                       {"list", "--nonsense"},
                                                       {"list", "--format", "xml"},
                                                       {"search", "a.jpg", "-k", "0"},
                                                       {"search", "a.jpg", "--region", "1,2,3"},
                                                       {"search", "a.jpg", "b.jpg", "--region", "0,0,1,1"},
                                                       {"search", "a.jpg", "--rerank", "best"},
                                                       {"index"},
                                                       {"index", ""},
                                                       {"search", ""},
                                                       {"stats", "--format", "csv"},
                                                       {"--color", "pink", "list"},
                                                       {"encode", "a/x.jpg", "b/x.png", "-o", "o.safetensors"},
                                                       {"export", "-o", "x.txt"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = run_tessera(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << (arguments.empty() ? "" : arguments[0]) << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("--help'."));
  }
  EXPECT_THAT(run_tessera({"serach"}).err, HasSubstr("did you mean 'search'?"));
  EXPECT_THAT(run_tessera({"encode", "a/x.jpg", "b/x.png", "-o", "o"}).err, HasSubstr("a/x.jpg and b/x.png"));
}

TEST(Program, AMissingLibraryIsOneSentence) {
  const TemporaryFolder folder;
  for (const std::string command : {"list", "stats", "verify", "prune", "compact"}) {
    const Outcome outcome = run_tessera({command, "-L", (folder / "none").string()});
    EXPECT_EQ(outcome.exit_code, 1) << command;
    EXPECT_EQ(outcome.err,
              "tessera: no library at " + (folder / "none").string() + "; 'tessera index FOLDER' makes one\n");
    EXPECT_FALSE(std::filesystem::exists(folder / "none"));
  }
}

TEST(Program, AFullOrClosedStandardOutputIsAnError) {
  Surroundings full;
  full.stdout_fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full.stdout_fd, 0);
  const Outcome outcome = run_tessera({"--help"}, full);
  ::close(full.stdout_fd);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "tessera: cannot write standard output: No space left on device\n");
  const std::string closed = "'" + test::program().string() + "' --version >&- 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(closed.c_str())), 1);
}

TEST(Program, AReaderThatLeavesIsNoError) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::close(ends[0]);
  Surroundings surroundings;
  surroundings.stdout_fd = ends[1];
  const Outcome outcome = run_tessera({"--help"}, surroundings);
  ::close(ends[1]);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
}

// Processor time of one start, the least of up to 40, until one is below the limit; wall time would measure the
// machine's other work, and so do caches and clock rates in some of the starts.
double start_milliseconds(const std::vector<std::string>& arguments, double limit) {
  double least = 1e9;
  for (int i = 0; i < 40 && least >= limit; ++i) {
    rusage before{};
    rusage after{};
    ::getrusage(RUSAGE_CHILDREN, &before);
    run_tessera(arguments);
    ::getrusage(RUSAGE_CHILDREN, &after);
    const auto milliseconds = [](const timeval& time) {
      return double(time.tv_sec) * 1e3 + double(time.tv_usec) / 1e3;
    };
    least = std::min(least, milliseconds(after.ru_utime) + milliseconds(after.ru_stime) -
                                milliseconds(before.ru_utime) - milliseconds(before.ru_stime));
  }
  return least;
}

TEST(Program, StartsInUnderTwentyMilliseconds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr double kLimit = 400;
#else
  constexpr double kLimit = 20;
#endif
  EXPECT_LT(start_milliseconds({"--help"}, kLimit), kLimit);
}

void wait_for_stop(const Interrupt& interrupt) {
  while (!interrupt.requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(InterruptDeathTest, TheFirstSignalAsksAndTheSecondEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const Interrupt interrupt;
        ::kill(::getpid(), SIGINT);
        wait_for_stop(interrupt);
        ::kill(::getpid(), SIGTERM);
        std::this_thread::sleep_for(std::chrono::seconds(30));
        std::exit(1);
      },
      ::testing::ExitedWithCode(130), "stopping; what is finished is kept");
}

TEST(Interrupt, EndsWithItsScope) {
  { const Interrupt interrupt; }
  const Interrupt again;
  EXPECT_FALSE(again.requested());
}

}  // namespace
}  // namespace tessera::cli
