// Checks of a contact sheet's style that its two forms share.
#pragma once

#include "tessera/indexer/contact_sheet.h"

namespace tessera {

// How many columns the sheet really has; throws kInvalidArgument for a style out of range.
int sheet_columns(const ContactSheet& sheet, const SheetStyle& style);

}  // namespace tessera
