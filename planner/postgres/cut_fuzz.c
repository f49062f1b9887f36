/* Any text as PostgreSQL's SQL: see planner/cut_fuzzing.h. */
#include "planner/cut_fuzzing.h"
#include "planner/postgres/cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_check_cut(&postgres_dialect, data, size);
    return 0;
}
