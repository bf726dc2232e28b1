/* SPDX-License-Identifier: EPICS */
/** @file psLogOpen.h
 *  @brief Opening a log by its path, and the rule whose symbolic links are followed.
 *
 *  A link that stands at the end of the path is followed if it belongs to us or to root: that is
 *  how a site arranges its files.  Anybody else's is refused, since whoever may write to the
 *  directory could otherwise have us append to a file of their choice.  The same holds for the
 *  links that such a link leads to.  Links among the directories of the path are the site's own
 *  and followed by the kernel.
 *  Thread: any but the loop's.  Blocks: as long as the file system does, which may be for ever.
 */
#ifndef INC_psLogOpen_H
#define INC_psLogOpen_H

#include <stddef.h>

/** Open for appending; a file that is not there is made with mode 0644 less umask.  The descriptor
 *  is close-on-exec and non-blocking, so that a FIFO without a reader fails with ENXIO.
 *  @return a descriptor, the caller's, or -errno; -ELOOP: a link that is not followed */
int psLogOpen(const char *path);
/** Would psLogOpen() work?  Makes no file.  A FIFO is opened for a moment, as a start would.
 *  @return 0 or -errno */
int psLogOpenCheck(const char *path);
/** What an errno of psLogOpen(), or of writing a log, means; strerror() where that says it.
 *  @return static text.  Thread: any */
const char *psLogOpenReason(int error);

#endif
