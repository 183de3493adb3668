/** @file version.h  The version of these headers and of the library that is loaded. */
#ifndef DEPTHPRUNE_VERSION_H
#define DEPTHPRUNE_VERSION_H

#include <depthprune/types.h>

#define DP_VERSION_MAJOR 0
#define DP_VERSION_MINOR 1
#define DP_VERSION_PATCH 0
#define DP_VERSION_NUMBER (DP_VERSION_MAJOR * 10000 + DP_VERSION_MINOR * 100 + DP_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/** The loaded library's DP_VERSION_NUMBER. */
DP_API int32_t dp_version(void);

/** The loaded library's version as text, such as "0.1.0". */
DP_API const char *dp_version_text(void);

/** How this library was built: one JSON object with version, compiler, kernel sets and libraries. */
DP_API const char *dp_build_info(void);

#ifdef __cplusplus
}
#endif

#endif
