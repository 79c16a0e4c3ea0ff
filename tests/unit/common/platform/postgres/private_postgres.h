/*
 * A private PostgreSQL for a test program: fresh data folder and unix socket below TMPDIR, no TCP, no fsync. It is
 * started by the program's main() before the tests, so that the processes of criterion's tests share it, and stopped by
 * its process id; it also ends when the test program dies. Uses POSTGRES_BIN, else `pg_config --bindir`, else the
 * newest version in Debian's folder. main.c in this folder is such a main().
 */
#ifndef CM_TEST_PRIVATE_POSTGRES_H
#define CM_TEST_PRIVATE_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>

bool test_postgres_start(void);
void test_postgres_stop(void);

/* In a test: connection string of a new, empty database. */
void test_postgres_database(char *into, size_t size);
/* The same without creating one: the server's own database `postgres`. */
void test_postgres_admin(char *into, size_t size);

#endif
