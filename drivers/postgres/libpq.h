/*
 * libpq, opened when the first PostgreSQL connection is made and not before: loading it (with
 * OpenSSL, Kerberos and LDAP behind it) costs about 4 ms of start-up, which `migrate version` and
 * everything on SQLite must not pay. The program is therefore not linked with -lpq. Behind a
 * successful libpq_load() the functions are called by their own names; a name missing from
 * LIBPQ_FUNCTIONS fails to link.
 */
#ifndef DRIVERS_POSTGRES_LIBPQ_H
#define DRIVERS_POSTGRES_LIBPQ_H

#include <libpq-fe.h>

#include "core/base/base.h"

/* Every function of libpq that we call. Pipelines came with libpq 14. */
#define LIBPQ_FUNCTIONS(FUNCTION)                                                                  \
    FUNCTION(PQbackendPID)                                                                         \
    FUNCTION(PQcancel)                                                                             \
    FUNCTION(PQclear)                                                                              \
    FUNCTION(PQcmdStatus)                                                                          \
    FUNCTION(PQcmdTuples)                                                                          \
    FUNCTION(PQconnectPoll)                                                                        \
    FUNCTION(PQconnectStartParams)                                                                 \
    FUNCTION(PQconnectdbParams)                                                                    \
    FUNCTION(PQconnectionNeedsPassword)                                                            \
    FUNCTION(PQconnectionUsedPassword)                                                             \
    FUNCTION(PQconninfo)                                                                           \
    FUNCTION(PQconninfoFree)                                                                       \
    FUNCTION(PQconninfoParse)                                                                      \
    FUNCTION(PQconsumeInput)                                                                       \
    FUNCTION(PQdb)                                                                                 \
    FUNCTION(PQenterPipelineMode)                                                                  \
    FUNCTION(PQerrorMessage)                                                                       \
    FUNCTION(PQexec)                                                                               \
    FUNCTION(PQexitPipelineMode)                                                                   \
    FUNCTION(PQfinish)                                                                             \
    FUNCTION(PQflush)                                                                              \
    FUNCTION(PQfname)                                                                              \
    FUNCTION(PQfreeCancel)                                                                         \
    FUNCTION(PQfreemem)                                                                            \
    FUNCTION(PQgetCancel)                                                                          \
    FUNCTION(PQgetCopyData)                                                                        \
    FUNCTION(PQgetResult)                                                                          \
    FUNCTION(PQgetisnull)                                                                          \
    FUNCTION(PQgetlength)                                                                          \
    FUNCTION(PQgetvalue)                                                                           \
    FUNCTION(PQhost)                                                                               \
    FUNCTION(PQhostaddr)                                                                           \
    FUNCTION(PQisBusy)                                                                             \
    FUNCTION(PQlibVersion)                                                                         \
    FUNCTION(PQnfields)                                                                            \
    FUNCTION(PQntuples)                                                                            \
    FUNCTION(PQparameterStatus)                                                                    \
    FUNCTION(PQpipelineStatus)                                                                     \
    FUNCTION(PQpipelineSync)                                                                       \
    FUNCTION(PQport)                                                                               \
    FUNCTION(PQputCopyData)                                                                        \
    FUNCTION(PQputCopyEnd)                                                                         \
    FUNCTION(PQresultErrorField)                                                                   \
    FUNCTION(PQresultErrorMessage)                                                                 \
    FUNCTION(PQresultStatus)                                                                       \
    FUNCTION(PQsendFlushRequest)                                                                   \
    FUNCTION(PQsendPrepare)                                                                        \
    FUNCTION(PQsendQuery)                                                                          \
    FUNCTION(PQsendQueryParams)                                                                    \
    FUNCTION(PQsendQueryPrepared)                                                                  \
    FUNCTION(PQserverVersion)                                                                      \
    FUNCTION(PQsetErrorVerbosity)                                                                  \
    FUNCTION(PQsetNoticeReceiver)                                                                  \
    FUNCTION(PQsetSingleRowMode)                                                                   \
    FUNCTION(PQsetnonblocking)                                                                     \
    FUNCTION(PQsocket)                                                                             \
    FUNCTION(PQstatus)                                                                             \
    FUNCTION(PQtransactionStatus)                                                                  \
    FUNCTION(PQuser)

struct libpq {
#define FUNCTION(name) __typeof__(&name) name;
    LIBPQ_FUNCTIONS(FUNCTION)
#undef FUNCTION
};
extern struct libpq libpq;

/* Opens libpq once per process; later calls cost nothing. Returns NULL, or (in static memory) why
   it cannot be used. Safe from several threads. */
const char *libpq_load(void) MUST_CHECK;

static inline void pg_result_clear(PGresult *r)
{
    libpq.PQclear(r);
}
DEFINE_SCOPED(pg_result, PGresult *, pg_result_clear)

#ifndef LIBPQ_BARE_NAMES /* libpq.c, where a name is a text and a member */
#define PQbackendPID libpq.PQbackendPID
#define PQcancel libpq.PQcancel
#define PQclear libpq.PQclear
#define PQcmdStatus libpq.PQcmdStatus
#define PQcmdTuples libpq.PQcmdTuples
#define PQconnectPoll libpq.PQconnectPoll
#define PQconnectStartParams libpq.PQconnectStartParams
#define PQconnectdbParams libpq.PQconnectdbParams
#define PQconnectionNeedsPassword libpq.PQconnectionNeedsPassword
#define PQconnectionUsedPassword libpq.PQconnectionUsedPassword
#define PQconninfo libpq.PQconninfo
#define PQconninfoFree libpq.PQconninfoFree
#define PQconninfoParse libpq.PQconninfoParse
#define PQconsumeInput libpq.PQconsumeInput
#define PQdb libpq.PQdb
#define PQenterPipelineMode libpq.PQenterPipelineMode
#define PQerrorMessage libpq.PQerrorMessage
#define PQexec libpq.PQexec
#define PQexitPipelineMode libpq.PQexitPipelineMode
#define PQfinish libpq.PQfinish
#define PQflush libpq.PQflush
#define PQfname libpq.PQfname
#define PQfreeCancel libpq.PQfreeCancel
#define PQfreemem libpq.PQfreemem
#define PQgetCancel libpq.PQgetCancel
#define PQgetCopyData libpq.PQgetCopyData
#define PQgetResult libpq.PQgetResult
#define PQgetisnull libpq.PQgetisnull
#define PQgetlength libpq.PQgetlength
#define PQgetvalue libpq.PQgetvalue
#define PQhost libpq.PQhost
#define PQhostaddr libpq.PQhostaddr
#define PQisBusy libpq.PQisBusy
#define PQlibVersion libpq.PQlibVersion
#define PQnfields libpq.PQnfields
#define PQntuples libpq.PQntuples
#define PQparameterStatus libpq.PQparameterStatus
#define PQpipelineStatus libpq.PQpipelineStatus
#define PQpipelineSync libpq.PQpipelineSync
#define PQport libpq.PQport
#define PQputCopyData libpq.PQputCopyData
#define PQputCopyEnd libpq.PQputCopyEnd
#define PQresultErrorField libpq.PQresultErrorField
#define PQresultErrorMessage libpq.PQresultErrorMessage
#define PQresultStatus libpq.PQresultStatus
#define PQsendFlushRequest libpq.PQsendFlushRequest
#define PQsendPrepare libpq.PQsendPrepare
#define PQsendQuery libpq.PQsendQuery
#define PQsendQueryParams libpq.PQsendQueryParams
#define PQsendQueryPrepared libpq.PQsendQueryPrepared
#define PQserverVersion libpq.PQserverVersion
#define PQsetErrorVerbosity libpq.PQsetErrorVerbosity
#define PQsetNoticeReceiver libpq.PQsetNoticeReceiver
#define PQsetSingleRowMode libpq.PQsetSingleRowMode
#define PQsetnonblocking libpq.PQsetnonblocking
#define PQsocket libpq.PQsocket
#define PQstatus libpq.PQstatus
#define PQtransactionStatus libpq.PQtransactionStatus
#define PQuser libpq.PQuser
#endif

#endif
