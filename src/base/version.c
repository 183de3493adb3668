// What this library is and how it was built; names of result codes.
#include <depthprune/version.h>

#include <jansson.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define QUOTED(x) #x
#define TEXT(x) QUOTED(x)
#define VERSION TEXT(DP_VERSION_MAJOR) "." TEXT(DP_VERSION_MINOR) "." TEXT(DP_VERSION_PATCH)

#if defined(__clang__)
#define COMPILER "clang " TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(__clang_patchlevel__)
#else
#define COMPILER "gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#endif

#if defined(__x86_64__)
#define KERNELS "\"portable\",\"avx2\",\"avx512\""
#else
#define KERNELS "\"portable\""
#endif

int32_t dp_version(void)
{
    return DP_VERSION_NUMBER;
}

const char *dp_version_text(void)
{
    return VERSION;
}

const char *dp_build_info(void)
{
    return "{\"version\":\"" VERSION "\",\"compiler\":\"" COMPILER "\",\"kernels\":[" KERNELS
           "],\"libraries\":[\"openblas\",\"jansson " JANSSON_VERSION
           "\",\"pcre2 " TEXT(PCRE2_MAJOR) "." TEXT(PCRE2_MINOR) "\"]}";
}

const char *dp_code_name(int32_t code)
{
    static const char *const names[] = {"DP_OK",        "DP_E_ARGUMENT",    "DP_E_MEMORY",  "DP_E_IO",
                                        "DP_E_FORMAT",  "DP_E_UNSUPPORTED", "DP_E_NUMERIC", "DP_E_CANCELLED",
                                        "DP_E_BACKEND", "DP_E_VERSION",     "DP_E_STATE",   "DP_E_INTERNAL"};

    return code <= 0 && code >= DP_E_INTERNAL ? names[-code] : "unknown code";
}
