#include "billing/reconcile/internal.h"

cm_decimal cm_reconcile_half_units(int places, int64_t times)
{
    cm_decimal half = {5};
    for (int i = places + 1; i < CM_DECIMAL_SCALE; i++)
        half.units *= 10;
    return (cm_decimal){half.units * times};
}
