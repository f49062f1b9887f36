/*
 * What a person sees: colour, tables, the progress line, failures. Colour and progress only on a
 * terminal; results on stdout, talk on stderr.
 */
#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include "core/base/fail.h"
#include "core/base/json.h"

enum ink { INK_PLAIN = 0, INK_GOOD, INK_BAD, INK_WARN, INK_DIM, INK_BOLD };

/* Decides on colour and progress from the streams, NO_COLOR and the options. */
void terminal_start(bool no_color, bool quiet, int64_t verbose);
bool terminal_has_color(void);    /* stdout */
bool terminal_has_progress(void); /* stderr */
/* Escape sequences for stdout, "" without colour. */
const char *ink_on(enum ink ink);
const char *ink_off(enum ink ink);

/* One line on stderr that is written over; nothing on anything but a terminal. */
void progress_show(const char *format, ...) PRINTF_LIKE(1, 2);
void progress_clear(void);

/* printf() for results that hold text from files or a database: only the colours of ink_on() and a line
   end that ends the format reach the terminal as they are, all else that it would obey is escaped. */
void terminal_print(const char *format, ...) PRINTF_LIKE(1, 2);

/* A table on stdout: cells as texts, columns as wide as needed, the last one cut to the terminal.
   Columns without any text are left out. */
struct table;
struct table *table_make(struct arena *a, const char *const *headings, size_t columns);
/* columns cells, the texts must outlive the table and are escaped; ink of the row's first cell that is
   not plain. */
void table_add(struct table *t, const char *const *cells, size_t inked_column, enum ink ink);
void table_print(struct table *t);
size_t table_rows(const struct table *t);

/* The same for stderr. */
const char *err_ink_on(enum ink ink);
const char *err_ink_off(void);
/* "2026-11-20 20:43:00" of an ISO time, in the arena. */
const char *terminal_time(struct arena *a, struct str iso);
/* The longest prefix that fits into width columns. */
struct str terminal_cut(struct str s, size_t width);

/* failure.c: texts that must not be repeated, and what stands for each; kept until the program ends. */
void failure_hide(const char *secret, const char *shown);
/* failure.c: prints a failure on stderr: message, place with caret, detail, hint, exit code. */
void failure_print(const struct fail *failure);
/* The same for programs: message, sqlstate, file, line, column, detail, hint; null where not known. */
struct json *failure_json(const struct fail *failure);

#endif
