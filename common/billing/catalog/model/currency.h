/*
 * Currencies of ISO 4217 with their minor units. Funds, metals and testing codes are left out: nobody is billed in
 * them. Pure, thread safe. May use: nothing.
 */
#ifndef CM_CATALOG_CURRENCY_H
#define CM_CATALOG_CURRENCY_H

/* Digits of the minor unit: JPY 0, USD 2, KWD 3; -1: not a currency of ISO 4217. NULL is allowed. */
int cm_currency_minor_digits(const char *code);

#endif
