// Folders as descriptors: what the stage needs to put a target in place and to clean up, never following links.
#ifndef DPI_IO_FOLDER_H
#define DPI_IO_FOLDER_H

#include "base/context.h"

// 1 when nothing at all has the name.
int dpi_folder_lacks(int folder, const char *name);
// Remove a file, a link, or a folder with all that is in it.  0, or the errno of what could not be removed.
int dpi_folder_remove(int folder, const char *name);
// What the folder `name` holds, for the decision whether a save may replace it.
enum { DPI_FOLDER_EMPTY, DPI_FOLDER_MODEL, DPI_FOLDER_OTHER };
// 0 and *holds, or an errno.  A model has config.json, or a file *.safetensors; a folder of GGUF files is a
// collection that no save made.
int dpi_folder_holds(int folder, const char *name, int *holds);
// Open the folder `name`, made first where nothing has the name; a link is no folder.  0 and *out, or an errno.
int dpi_folder_make(int folder, const char *name, int *out);
// openat, tried again when interrupted (network file systems); files that are made get mode 0666 less the umask.
int dpi_open(int folder, const char *name, int flags);
// fsync, tried again when interrupted; 0 or an errno.  Folders of file systems without it are no error.
int dpi_sync(int file);
// Remove what saves of dead processes left: names that are `prefix`, a process id, '-', anything.
// When nothing has the name `restore` (NULL allowed), what is found gets it back instead.
void dpi_folder_sweep(int folder, const char *prefix, const char *restore);

#endif
