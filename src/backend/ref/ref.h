// The reference backend: every operation as the plainest loop in double precision.
#ifndef DPI_BACKEND_REF_REF_H
#define DPI_BACKEND_REF_REF_H

#include <depthprune/sys/backend.h>

const dp_backend *dpi_ref_backend(void);

#endif
