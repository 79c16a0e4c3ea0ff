/* Is a file a PNG that documents can show? Internal to catalog/. */
#ifndef CM_CATALOG_PNG_H
#define CM_CATALOG_PNG_H

#include "base/base/slice.h"

enum { CM_PNG_BYTES = 128 * 1024, CM_PNG_SIDE = 2000 };

/* Signature, the frame of every chunk with its checksum, the image's size. NULL: it is one; else what is wrong, static.
 * Source: PNG (ISO/IEC 15948) sections 5.2, 5.3, 11.2. */
const char *cm_png_problem(cm_slice content);

#endif
