/* Any text as SQLite's SQL: see planner/cut_fuzzing.h. */
#include "planner/cut_fuzzing.h"
#include "planner/sqlite/cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_check_cut(&sqlite_dialect, data, size);
    return 0;
}
