/* SPDX-License-Identifier: EPICS */
/** @file psTestUtil.h
 *  @brief What several unit tests need.
 */
#ifndef INC_psTestUtil_H
#define INC_psTestUtil_H

/** Path of psTestChild; ends the test if it is not built. */
const char *psTestChildProgram(void);

/** @name Entries of /proc/self/fd and /proc/self/task, to be compared with those of another moment.
 *  @{ */
int psTestDescriptors(void);
int psTestThreads(void);
/** @} */

#endif
