/*
 * The outbox of issued documents (statement_outbox): written by document_store.c in the transaction that issues,
 * published to topic statement.issued by invoice-writer.
 */
#ifndef CM_STORE_DOCUMENT_OUTBOX_H
#define CM_STORE_DOCUMENT_OUTBOX_H

#include "base/base/buffer.h"
#include "base/time/time.h"
#include "platform/postgres/postgres.h"

#include <stdint.h>

/* Payloads not published yet, oldest first, `most` of them and not many MiB at once. In a transaction, which keeps
 * other publishers of the lane out until it ends (*ret_rows NULL: another one is publishing). Columns: id, statement
 * id, payload as hex. Parked ones are tried again after an hour. */
CM_NODISCARD bool cm_store_outbox_take(cm_pg *pg, const char *lane, int most, cm_rows **ret_rows, cm_error *err);
/* All rows of cm_store_outbox_take were acknowledged by the broker, but those that were parked in this transaction. */
CM_NODISCARD bool cm_store_outbox_published(cm_pg *pg, const cm_rows *rows, cm_instant now, cm_error *err);
/* The broker does not take that row. */
CM_NODISCARD bool cm_store_outbox_park(cm_pg *pg, const cm_rows *rows, int row, const char *why, cm_error *err);

/* A StatementIssued with the document -> one with its sums, digest and the command that prints it. False: the payload
 * is none, or has no document. Pure. */
bool cm_document_by_reference(const uint8_t *payload, size_t length, cm_buffer *ret);

#endif
