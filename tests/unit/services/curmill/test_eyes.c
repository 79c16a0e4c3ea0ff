#include "cli/eyes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect(char *text, const char *wanted)
{
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(eyes, money_has_the_decimals_of_its_currency)
{
    expect(cli_money("19821", "EUR"), "19821.00");
    expect(cli_money("23586.9", "EUR"), "23586.90");
    expect(cli_money("-0.5", "USD"), "-0.50");
    expect(cli_money("1327767", "JPY"), "1327767");
    expect(cli_money("836.57", "KWD"), "836.570");
    expect(cli_money("0", "KWD"), "0.000");
}

/* Exact amounts have more decimals than the currency: none is taken away. */
Test(eyes, no_digit_is_taken_away)
{
    expect(cli_money("10.77651", "EUR"), "10.77651");
    expect(cli_money("1.5", "JPY"), "1.5");
    expect(cli_money("7", NULL), "7");
    expect(cli_money("7", "no currency"), "7");
}

Test(eyes, ids_are_as_long_as_they_must_be)
{
    const char *apart[] = {"50926ac29f7733bdb0336211d7dbcb51", "6fe9517716f0fbdf83815c2ef0dff50a", NULL, "-"};
    cr_expect_eq(cli_id_length(apart, 4), 8);
    const char *close[] = {"50926ac29f7733bdb0336211d7dbcb51", "6fe9517716f0fbdf83815c2ef0dff50a",
                           "50926ac29f77330000000000d7dbcb51"};
    cr_expect_eq(cli_id_length(close, 3), 15);
    const char *same[] = {"50926ac29f7733bdb0336211d7dbcb51", "50926ac29f7733bdb0336211d7dbcb51"};
    cr_expect_eq(cli_id_length(same, 2), 8);
    cr_expect_eq(cli_id_length(NULL, 0), 8);
}

Test(eyes, an_id_is_32_hexadecimal_digits)
{
    cr_expect(cli_is_id("50926ac29f7733bdb0336211d7dbcb51"));
    cr_expect_not(cli_is_id("50926ac29f7733bdb0336211d7dbcb5"));
    cr_expect_not(cli_is_id("50926AC29f7733bdb0336211d7dbcb51"));
    cr_expect_not(cli_is_id("delivery:50926ac29f7733bdb03362111"));
}

Test(eyes, texts_are_cut_by_characters)
{
    expect(cli_cut("Alpine Foods", 20), "Alpine Foods");
    expect(cli_cut("Alpine Foods", 12), "Alpine Foods");
    expect(cli_cut("Alpine Foods", 7), "Alpine…");
    expect(cli_cut("Müller & Söhne", 4), "Mül…");
    expect(cli_cut("", 4), "");
}

/* No escape sequence of a tag or a product reaches a terminal, in tables, errors and notes. */
Test(eyes, control_characters_are_written_out)
{
    expect(cli_plain_text("Müller\033[2J", ""), "Müller\\x1b[2J");
    expect(cli_plain_text("a\tb\r\nc\x7f", ""), "a\\tb\\r\\nc\\x7f");
    expect(cli_plain_text("a\nb\033", "\n"), "a\nb\\x1b");
    expect(cli_plain_text("x\xc2\x9b"
                          "2J \xc2\xa0 ü",
                          ""),
           "x\\x9b2J \xc2\xa0 ü"); /* C1; a no-break space is none */
    char *written = NULL;
    size_t length;
    FILE *out = open_memstream(&written, &length);
    cli_put(out, "%s: %s\n", "curmill", "no product \033]0;x\a");
    fclose(out);
    expect(written, "curmill: no product \\x1b]0;x\\x07\n");
}
