#include "billing/catalog/model/currency.h"

#include <stddef.h>
#include <string.h>

/* ISO 4217 table A.1 (active codes), by minor units. */
static const char no_digits[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF ";
static const char three_digits[] = "BHD IQD JOD KWD LYD OMR TND ";
static const char two_digits[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ";

static int listed(const char *list, const char *code)
{
    for (; *list; list += 4)
        if (memcmp(list, code, 3) == 0)
            return 1;
    return 0;
}

int cm_currency_minor_digits(const char *code)
{
    if (!code || strlen(code) != 3)
        return -1;
    if (listed(two_digits, code))
        return 2;
    if (listed(no_digits, code))
        return 0;
    return listed(three_digits, code) ? 3 : -1;
}
