/*
 * Commentary on stderr, for cmd, drivers and core/run; base, model and planner never log. Levels
 * never change behaviour. Results do not go through here. Never give it a connection string: the
 * driver's safe description only.
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include "core/base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTE, LOG_DEBUG, LOG_SQL };

/* verbosity: -1 quiet (errors and warnings only), 0 notes, 1 debug, 2 SQL. */
void log_configure(int verbosity, bool is_colour);
bool log_is_on(enum log_level level);
/* One line; a newline is added. LOG_WARN begins with "warning: ". */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
/* At LOG_SQL: a statement that was sent, without secrets, and how long it took; remark: a word about how
   it went, or NULL. duration_us -1: it travelled with others, and only the server knows. */
void log_sql(struct str sql, int64_t duration_us, const char *remark);
/* Called before a log line is written, to clear a progress line; NULL for none. */
void log_before(void (*hook)(void));

#endif
