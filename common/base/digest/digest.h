/*
 * SHA-256 (OpenSSL) over a sequence of fields, each preceded by its length so that ("ab","c") differs from ("a","bc"),
 * and identities made from it. Identities are the first 128 bits as 32 hex digits (architecture.md section 3).
 */
#ifndef CM_BASE_DIGEST_H
#define CM_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { CM_SHA256_BYTES = 32, CM_SHA256_HEX = 65, CM_ID_BYTES = 16, CM_ID_HEX = 33 };

typedef struct cm_digest cm_digest;
cm_digest *cm_digest_new(void);                                           /* never NULL */
void cm_digest_raw(cm_digest *digest, const void *data, size_t length);   /* no length prefix */
void cm_digest_field(cm_digest *digest, const void *data, size_t length); /* 8-byte little-endian length, then data */
void cm_digest_text(cm_digest *digest, const char *text);                 /* a field */
void cm_digest_finish(cm_digest *digest, uint8_t ret[static CM_SHA256_BYTES]); /* frees */
void cm_digest_finish_hex(cm_digest *digest, char ret[static CM_SHA256_HEX]);  /* frees */
void cm_digest_finish_id(cm_digest *digest, char ret[static CM_ID_HEX]);       /* frees; first 16 bytes as hex */

void cm_sha256(const void *data, size_t length, uint8_t ret[static CM_SHA256_BYTES]);
void cm_hex(const uint8_t *bytes, size_t length, char *ret); /* ret: 2*length+1 */
/* 32 hex digits -> 16 bytes; false if the text is not that */
_Bool cm_id_bytes(const char *hex, uint8_t ret[static CM_ID_BYTES]);

#endif
