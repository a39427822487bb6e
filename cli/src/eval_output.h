// Evaluation reports as a table for people, JSON or CSV.
#pragma once

#include <string>

#include "format.h"
#include "tessera/indexer/eval_report.h"

namespace tessera::cli {

Json report_json(const eval::Report& report);
std::string report_csv(const eval::Report& report);
// Columns of figures are aligned on the right, with the digits each column asks for.
std::string report_table(const eval::Report& report);

}  // namespace tessera::cli
