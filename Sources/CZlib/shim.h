// zlib: raw DEFLATE streams for permessage-deflate (RFC 7692).
#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

// The input is const then, as it should be.
#ifndef ZLIB_CONST
#define ZLIB_CONST
#endif
#include <zlib.h>

#endif
