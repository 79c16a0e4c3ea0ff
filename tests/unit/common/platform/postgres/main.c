#include "private_postgres.h"

#include <criterion/criterion.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct criterion_test_set *tests = criterion_initialize();
    int failed = 1;
    if (criterion_handle_args(argc, argv, true)) {
        if (test_postgres_start())
            failed = !criterion_run_all_tests(tests);
        else
            fprintf(stderr, "the private PostgreSQL did not start\n");
        test_postgres_stop();
    } else {
        failed = 0;
    }
    criterion_finalize(tests);
    return failed;
}
