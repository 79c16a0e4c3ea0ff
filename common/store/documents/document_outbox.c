#include "store/documents/document_outbox.h"

#include "base/digest/digest.h"
#include "base/json/json.h"
#include "platform/postgres/array.h"
#include "statement_issued.pb-c.h"

#include <stdlib.h>

bool cm_store_outbox_take(cm_pg *pg, const char *lane, int most, cm_rows **ret_rows, cm_error *err)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", most);
    const char *values[] = {lane, limit};
    cm_rows *lock = NULL;
    *ret_rows = NULL;
    if (!cm_pg_query(pg, "SELECT pg_try_advisory_xact_lock(hashtextextended('outbox ' || $1, 0))", 1, values, &lock,
                     err))
        return false;
    bool mine = cm_rows_bool(lock, 0, 0);
    cm_rows_free(lock);
    return !mine ||
           cm_pg_query(
               pg,
               "SELECT id, statement_id, encode(payload, 'hex') FROM (SELECT id, statement_id, payload,"
               "   sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS bytes_before FROM (SELECT * FROM statement_outbox"
               "   WHERE lane = $1 AND published_at IS NULL AND (parked_at IS NULL OR parked_at < now() - interval '1 hour')"
               "   ORDER BY id LIMIT $2::int) o) sums WHERE bytes_before < 16777216 ORDER BY id",
               2, values, ret_rows, err);
}

bool cm_store_outbox_published(cm_pg *pg, const cm_rows *rows, cm_instant now, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_buffer ids = {0};
    for (int i = 0; i < cm_rows_count(rows); i++)
        cm_array_i64(&ids, cm_rows_i64(rows, i, 0));
    const char *values[] = {cm_array_end(&ids), cm_instant_print(now, at)};
    bool done =
        cm_pg_query(pg,
                    "UPDATE statement_outbox SET published_at = $2, parked_at = NULL, error = '' WHERE id = ANY "
                    "($1::bigint[]) AND parked_at IS DISTINCT FROM now()",
                    2, values, NULL, err);
    cm_buffer_free(&ids);
    return done;
}

bool cm_store_outbox_park(cm_pg *pg, const cm_rows *rows, int row, const char *why, cm_error *err)
{
    const char *values[] = {cm_rows_text(rows, row, 0), why};
    return cm_pg_query(pg, "UPDATE statement_outbox SET parked_at = now(), error = $2 WHERE id = $1::bigint", 2, values,
                       NULL, err);
}

/* --- by reference --------------------------------------------------------------------------------------------------
 */

static Curmill__V1__TaxSum *taxes_of(const json_t *document, size_t *ret_count)
{
    const json_t *taxes = json_object_get(document, "tax");
    *ret_count = json_array_size(taxes);
    Curmill__V1__TaxSum *sums = cm_alloc((*ret_count + 1) * sizeof *sums);
    for (size_t i = 0; i < *ret_count; i++) {
        const json_t *tax = json_array_get(taxes, i);
        curmill__v1__tax_sum__init(&sums[i]);
        sums[i].name = (char *)cm_json_member_text(tax, "name");
        sums[i].percent = (char *)cm_json_member_text(tax, "percent");
        sums[i].amount = (char *)cm_json_member_text(tax, "amount");
    }
    return sums;
}

static void pack(const Curmill__V1__StatementIssued *message, cm_buffer *ret)
{
    size_t length = curmill__v1__statement_issued__get_packed_size(message);
    cm_buffer_reserve(ret, length + 1);
    uint8_t *bytes = cm_alloc(length + 1);
    curmill__v1__statement_issued__pack(message, bytes);
    cm_buffer_append(ret, bytes, length);
    free(bytes);
}

static void pack_reference(const Curmill__V1__StatementIssued *whole, const json_t *document, cm_buffer *ret)
{
    Curmill__V1__StatementIssued message = *whole;
    uint8_t digest[CM_SHA256_BYTES];
    char fetch[128], id[CM_ID_HEX] = "";
    size_t count;
    if (whole->document_id.len == CM_ID_BYTES)
        cm_hex(whole->document_id.data, CM_ID_BYTES, id);
    snprintf(fetch, sizeof fetch, "curmill statement show %s --format json", id);
    /* As that command prints it (cli_json_print). */
    char *text = json_dumps(document, JSON_INDENT(2));
    cm_buffer printed = {0};
    cm_buffer_printf(&printed, "%s\n", text);
    cm_sha256(printed.data, printed.length, digest);
    Curmill__V1__TaxSum *taxes = taxes_of(document, &count);
    Curmill__V1__TaxSum **list = cm_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = &taxes[i];
    message.document = (char *)protobuf_c_empty_string;
    message.subtotal = (char *)cm_json_member_text(document, "subtotal");
    message.n_tax = count;
    message.tax = list;
    message.document_bytes = printed.length;
    message.document_sha256 = (ProtobufCBinaryData){CM_SHA256_BYTES, digest};
    message.fetch = fetch;
    pack(&message, ret);
    cm_buffer_free(&printed);
    free(text);
    free(list);
    free(taxes);
}

bool cm_document_by_reference(const uint8_t *payload, size_t length, cm_buffer *ret)
{
    Curmill__V1__StatementIssued *whole = curmill__v1__statement_issued__unpack(NULL, length, payload);
    json_t *document = whole && *whole->document ? json_loads(whole->document, 0, NULL) : NULL;
    bool found = document != NULL;
    if (found)
        pack_reference(whole, document, ret);
    json_decref(document);
    if (whole)
        curmill__v1__statement_issued__free_unpacked(whole, NULL);
    return found;
}
