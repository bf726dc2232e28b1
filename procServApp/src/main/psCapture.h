/* SPDX-License-Identifier: EPICS */
/** @file psCapture.h
 *  @brief What others write to a descriptor of ours, line by line.
 *
 *  Base prints where it likes, from any thread: its PVA server uses standard output, into which the
 *  output of children goes with `-L -`.  So a descriptor is replaced by a pipe, and a thread hands
 *  on each line that comes out of it.
 */
#ifndef INC_psCapture_H
#define INC_psCapture_H

/** Replace @p fd, which is 1 or 2, by a pipe.
 *  @param onLine called for each line, without its end and cut at 1000 bytes, on a thread of the
 *         capture, for as long as the program runs
 *  Thread: main, once for each fd.  Blocks: never.
 *  @return 0 or -errno: @p fd is what it was */
int psCaptureStart(int fd, void (*onLine)(const char *line));

#endif
