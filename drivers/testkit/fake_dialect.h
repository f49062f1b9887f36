/*
 * A dialect for tests of core/run: statements are cut at every ';', whatever surrounds it, and their
 * first word says what they are.
 *
 *   BEGIN COMMIT ROLLBACK   the transaction's ends
 *   alone x                 refuses a transaction; the catalog tells whether it is done
 *   again x                 refuses a transaction; may be run twice
 *   blind x                 refuses a transaction; nothing tells whether it is done
 *   set x                   changes the session
 *   perhaps x               may change it
 *   copy x                  data follow, up to a line \.
 *   secret x                shown and stored as "secret"
 *   refused x               cannot be used
 *
 * Everything else is an ordinary statement.
 */
#ifndef DRIVERS_TESTKIT_FAKE_DIALECT_H
#define DRIVERS_TESTKIT_FAKE_DIALECT_H

#include "core/model/dialect.h"

const struct dialect *fake_dialect(void);

#endif
