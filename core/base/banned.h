/*
 * Functions whose careful use is not worth the reading: they fail to compile.
 * Use struct buf or arena_printf() for text, gmtime_r() for time, str_to_*() for numbers.
 */
#ifndef CORE_BASE_BANNED_H
#define CORE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison gmtime localtime ctime asctime atoi atol atoll

#endif
