/*
 * Reads the statements of one migration, piece by piece: bytes → checked text (UTF-8, no NUL, no BOM)
 * → placeholders replaced → statements, through the engine's dialect. Memory is bounded by the
 * longest statement, not by the file. Used twice: to plan, and to apply; the second time it proves by
 * the raw digest that the bytes are those that were planned: of a file longer than one window this is known
 * only when its last window was read.
 */
#ifndef CORE_MODEL_SCRIPT_H
#define CORE_MODEL_SCRIPT_H

#include "core/model/dialect.h"
#include "core/model/migration.h"

/* What reading a script needs to know besides the migration. */
struct script_context {
    const struct dialect *dialect;
    uint32_t server_version;
    bool wants_analysis;
    bool is_recorded; /* its digests go into the history although it is analysed */
    struct str
        record; /* name of migrate's own record (see struct cut_record); "" : of no concern */
    const struct placeholder *placeholders; /* sorted by name, or in any order; first match wins */
    size_t placeholder_count;
};

struct script; /* malloc'ed; owns the open file and its windows */

/* Opens the up part (or the down part) of a migration. */
struct script *script_open(const struct migration *m, bool is_down,
                           const struct script_context *context, struct fail *f) MUST_CHECK;
/* From memory, for tests and standard input; path is for messages. */
struct script *script_open_memory(struct str text, struct str path,
                                  const struct script_context *context) MUST_CHECK;
/* One that was read before and kept: see core/model/kept.h. */
struct kept_script;
struct script *script_open_kept(const struct migration *m, const struct kept_script *kept)
    MUST_CHECK;
void script_close(struct script *s); /* NULL is fine */
DEFINE_SCOPED(script, struct script *, script_close)

/* The next statements: at least one, or none at the end (*out_count == 0). They and their texts are
   valid until the next call. After a COPY … FROM stdin (always the last of its batch) the data must
   be read with script_copy_data() before the next call. is_last: nothing but blanks follows. */
struct script_batch {
    const struct statement *statements;
    size_t count;
    bool is_last;
    struct directives behind; /* is_last: in comments behind the last statement */
};
bool script_next(struct script *s, struct script_batch *out, struct fail *f) MUST_CHECK;
/* Reads what the next call of script_next() will give. Another thread may do that, before it hands the
   script over. Fails as script_next() does; the script is of no use then. */
bool script_read_ahead(struct script *s, struct fail *f) MUST_CHECK;
/* The next piece of COPY data, whole lines without the closing \. line; out->len == 0 at its end.
   Fails when the file ends before it. */
bool script_copy_data(struct script *s, struct str *out, struct fail *f) MUST_CHECK;

/* At the end, when all was read: the digests of what was read. raw is that of the whole file. */
bool script_finish(struct script *s, struct checksums *out, struct fail *f) MUST_CHECK;

/* Fills file, line, column and excerpt of a failure from a byte offset within a statement's text. */
void script_locate(const struct script *s, const struct statement *statement, size_t offset_bytes,
                   struct fail *f);

/* The executed text that is in memory now: the statements' texts are slices of it. */
struct str script_window(const struct script *s);

#endif
