/* A document of 12,000 lines is issued like any other, and goes to the topic by reference (operations.md, outbox). */
#include "place.h"

#include "base/base/buffer.h"
#include "statement_issued.pb-c.h"
#include "store/documents/document_outbox.h"

enum { LINES = 12000 };

static void issue_many_lines(place *p)
{
    cm_buffer charges = {0};
    for (int i = 0; i < LINES; i++)
        cm_buffer_printf(&charges, "%s('acme', '" ACCOUNT "', 'usage', 'Product number %05d', 1, 0.01)", i ? "," : "",
                         i);
    deliver(p, "june", true, charges.data);
    cm_buffer_free(&charges);
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
}

/* The bytes that `statement show --format json` prints. */
static char *shown(place *p, const char *id)
{
    json_t *document;
    MUST(cm_store_document_issued(p->pg, id, &document, &p->err));
    cr_assert_eq(json_array_size(json_object_get(document, "lines")), LINES);
    char *text = json_dumps(document, JSON_INDENT(2));
    json_decref(document);
    return text;
}

static cm_rows *take(place *p, int count)
{
    cm_rows *rows;
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_outbox_take(p->pg, "tdsynnex", 10, &rows, &p->err));
    cr_assert_eq(cm_rows_count(rows), count);
    return rows;
}

Test(large, by_reference)
{
    place *p = place_open();
    issue_many_lines(p);
    cm_rows *rows = take(p, 1);
    const char *hex = cm_rows_text(rows, 0, 2);
    cr_assert_gt(strlen(hex), 2 << 20);
    static const char digits[] = "0123456789abcdef";
    cm_buffer whole = {0}, reference = {0}, printed = {0};
    for (; *hex; hex += 2)
        cm_buffer_char(&whole, (char)(strchr(digits, hex[0]) - digits) * 16 + (char)(strchr(digits, hex[1]) - digits));
    cr_assert(cm_document_by_reference((const uint8_t *)whole.data, whole.length, &reference));
    cr_expect_lt(reference.length, 1024);
    Curmill__V1__StatementIssued *message =
        curmill__v1__statement_issued__unpack(NULL, reference.length, (const uint8_t *)reference.data);
    cr_assert_not_null(message);
    cr_expect_str_eq(message->document, "");
    cr_expect_str_eq(message->number, "northwind/A/2025/000001");
    cr_expect_str_eq(message->subtotal, "120");
    cr_expect_str_eq(message->total, "142.8");
    cr_assert_eq(message->n_tax, 1);
    cr_expect_str_eq(message->tax[0]->amount, "22.8");
    char fetch[128], *text = shown(p, cm_rows_text(rows, 0, 1));
    snprintf(fetch, sizeof fetch, "curmill statement show %s --format json", cm_rows_text(rows, 0, 1));
    cr_expect_str_eq(message->fetch, fetch);
    cm_buffer_printf(&printed, "%s\n", text);
    uint8_t digest[CM_SHA256_BYTES];
    cm_sha256(printed.data, printed.length, digest);
    cr_expect_eq(message->document_bytes, printed.length);
    cr_assert_eq(message->document_sha256.len, CM_SHA256_BYTES);
    cr_expect(memcmp(message->document_sha256.data, digest, CM_SHA256_BYTES) == 0);
    curmill__v1__statement_issued__free_unpacked(message, NULL);
    cr_expect_not(cm_document_by_reference((const uint8_t *)reference.data, reference.length, &whole)); /* it is one */
    cr_expect_not(cm_document_by_reference((const uint8_t *)"?", 1, &whole));
    free(text);
    cm_buffer_free(&whole);
    cm_buffer_free(&reference);
    cm_buffer_free(&printed);
    cm_rows_free(rows);
    cm_pg_rollback(p->pg);
    place_close(p);
}

/* One that the broker does not take is put aside with its error; the next ones go out, and it is tried again later. */
Test(large, parked)
{
    place *p = place_open();
    deliver(p, "june", true,
            "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10), ('zenith', '" OTHER
            "', 'usage', 'AmazonEC2', 1, 20)");
    static const char *const customers[] = {"acme", "zenith"};
    for (int i = 0; i < 2; i++) {
        cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, customers[i], NULL), "");
        cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, customers[i], NULL), "");
    }
    cm_rows *rows = take(p, 2);
    MUST(cm_store_outbox_park(p->pg, rows, 0, "Message size too large", &p->err) &&
         cm_store_outbox_published(p->pg, rows, p->now, &p->err) && cm_pg_commit(p->pg, &p->err));
    cm_rows_free(rows);
    EXPECT("SELECT string_agg((published_at IS NOT NULL) || ' ' || error, ', ' ORDER BY id) FROM statement_outbox",
           "false Message size too large, true ");
    cm_rows_free(take(p, 0));
    cm_pg_rollback(p->pg);
    MUST(cm_pg_execute(p->pg, "UPDATE statement_outbox SET parked_at = now() - interval '61 minutes' WHERE error <> ''",
                       &p->err));
    rows = take(p, 1);
    MUST(cm_store_outbox_published(p->pg, rows, p->now, &p->err) && cm_pg_commit(p->pg, &p->err));
    cm_rows_free(rows);
    EXPECT("SELECT count(*) FROM statement_outbox WHERE published_at IS NULL OR parked_at IS NOT NULL OR error <> ''",
           "0");
    place_close(p);
}
