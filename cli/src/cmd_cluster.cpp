// tessera cluster: a set of pictures in groups of what they show.
#include <CLI/CLI.hpp>
#include <memory>

#include "checked_by.h"
#include "commands.h"
#include "interrupt.h"
#include "picture_set.h"
#include "resolve.h"
#include "tessera/indexer/clusters.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct ClusterCommandOptions {
  PictureSetOptions set;
  std::size_t count = 0;
  std::string method = "kmeans";
  std::uint64_t seed = 1;
  bool members = false;
};

// The representatives, or with --members everything.
PictureTable table_of(const std::vector<Cluster>& clusters, const PictureVectors& vectors, const Library& library,
                      bool members) {
  using Kind = PictureColumn::Kind;
  PictureTable table;
  table.columns = {{"cluster", "cluster", Kind::kWhole},
                   {"size", "size", Kind::kWhole},
                   {"similarity", "to middle", Kind::kSimilarity}};
  for (std::size_t c = 0; c < clusters.size(); ++c) {
    const std::size_t shown = members ? clusters[c].members.size() : 1;
    for (std::size_t m = 0; m < shown; ++m) {
      const ClusterMember& member = clusters[c].members[m];
      table.rows.push_back({library.image(vectors.ids[member.row]),
                            {double(c + 1), double(clusters[c].members.size()), member.similarity}});
    }
  }
  return table;
}

Json cluster_json(const Cluster& cluster, std::size_t number, const PictureTable& table, std::size_t first,
                  std::size_t shown) {
  Json object;
  object["cluster"] = number;
  object["size"] = cluster.members.size();
  object["cohesion"] = rounded(cluster.cohesion);
  object["members"] = Json::array();
  for (std::size_t m = 0; m < shown; ++m) {
    Json member = picture_json(table, first + m, 0);
    member.erase("cluster");
    member.erase("size");
    object["members"].push_back(std::move(member));
  }
  return object;
}

// One object for each cluster.
void write_clusters(Output& out, Format format, const std::vector<Cluster>& clusters, const PictureTable& table,
                    bool members) {
  Json array = Json::array();
  std::size_t first = 0;
  for (std::size_t c = 0; c < clusters.size(); ++c) {
    const std::size_t shown = members ? clusters[c].members.size() : 1;
    Json object = cluster_json(clusters[c], c + 1, table, first, shown);
    first += shown;
    if (format == Format::kJsonl) {
      out.line(dump(object));
    } else {
      array.push_back(std::move(object));
    }
  }
  if (format == Format::kJson) out.line(dump(array, 2));
}

ExitCode run(const ClusterCommandOptions& options, Context& context) {
  const Interrupt interrupt;
  const Library library = open_library(context, OpenMode::kRead);
  const PictureVectors vectors = chosen_vectors(library, options.set);
  ClusterOptions wanted;
  wanted.method = parse_cluster_method(options.method);
  wanted.count = options.count;
  wanted.seed = options.seed;
  wanted.stop = interrupt.token();
  const std::vector<Cluster> clusters = find_clusters(vectors.vectors, wanted);
  PictureTable table = table_of(clusters, vectors, library, options.members);
  table.under = absolute_paths(options.set.under);
  const Format format = parse_format(options.set.format);
  if (format == Format::kJson || format == Format::kJsonl) {
    write_clusters(context.out, format, clusters, table, options.members);
    context.out.flush();
    show_sheet(context, table, "Clusters", options.set);
  } else {
    show_pictures(context, table, "Clusters", options.set);
  }
  context.console.note(plural(static_cast<std::int64_t>(clusters.size()), "cluster") + " of " +
                       plural(static_cast<std::int64_t>(vectors.ids.size()), "picture"));
  return ExitCode::kOk;
}

}  // namespace

Command make_cluster(CLI::App& root) {
  auto options = std::make_shared<ClusterCommandOptions>();
  CLI::App* app = root.add_subcommand("cluster", "group pictures by what they show")->group("Curate");
  app->add_option("-n,--clusters", options->count, "how many groups (default: as many as are clearest, up to 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000).description(""));
  app->add_option("--method", options->method,
                  "kmeans, or pair by pair by the mean (average) or least (complete) similarity")
      ->type_name("METHOD")
      ->check(checked_by([](const std::string& text) { parse_cluster_method(text); }))
      ->capture_default_str();
  app->add_option("--seed", options->seed, "of kmeans; the same seed gives the same groups")
      ->type_name("N")
      ->capture_default_str();
  app->add_flag("--members", options->members, "show all pictures of each group, not only the most typical one");
  add_picture_set_options(*app, options->set);
  add_picture_set_conditions(*app, options->set);
  return {app,
          "Groups are sorted by size; each is shown by its most typical picture. 'to middle' is the similarity to the "
          "middle of the group. Average and complete linkage take at most " +
              human_count(static_cast<std::int64_t>(kMostLinked)) +
              " pictures; kmeans takes any number. No model is loaded and nothing is changed.",
          {{"tessera cluster --open groups.html", "What the library is about."},
           {"tessera cluster -n 12 --under Pictures/2019 --members --format csv", "Twelve groups as a table."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
