/* SPDX-License-Identifier: EPICS */
/** @file psSocketFile.h
 *  @brief The file of a listening unix socket: one server per path, whoever starts when.
 *
 *  A file at the path is replaced only if it is a dead socket, one to which no living socket is
 *  bound.  It is removed at the end only if it is still the one that was made.  No other file is
 *  left anywhere.
 *  Thread: any, one at a time per object.
 */
#ifndef INC_psSocketFile_H
#define INC_psSocketFile_H

#include <sys/types.h>

#include "console/psEndpoint.h"

/** What stands in memory filled with zeros is no file. */
typedef struct psSocketFile {
    char path[PS_SOCKET_PATH_BYTES]; /**< "": none was made */
    dev_t dev;                       /**< its identity */
    ino_t ino;
} psSocketFile;

/** Bind @p fd, a stream socket without a name, to the path of @p endpoint, and give the file its
 *  owner and mode.  Nobody can connect before listen(), so nobody ever connects under another
 *  mode than the one asked for.
 *  Blocks: at most 1 s, while others replace a dead socket in the same directory.
 *  @return 0 or -errno; -EADDRINUSE: a living socket is there, or one that may be; -EEXIST: a file
 *  that is no socket.  On failure nothing of ours is left at the path */
int psSocketFileBind(psSocketFile *out, int fd, const psEndpoint *endpoint);
/** What is at @p path?  Changes nothing there.  Blocks: never.
 *  @return 0: nothing; 1: a dead socket; -EADDRINUSE, -EEXIST as above; -errno */
int psSocketFileLook(const char *path);
/** Remove the file, if it is still ours.  To be called while the socket is open: a socket that
 *  is closed is a dead one, which another server may replace.  May be called twice. */
void psSocketFileRemove(psSocketFile *file);

#endif
