/* SPDX-License-Identifier: EPICS */
/** @file psTestUtil.h
 *  @brief What several unit tests need.
 */
#ifndef INC_psTestUtil_H
#define INC_psTestUtil_H

/** Path of psTestChild; ends the test if it is not built. */
const char *psTestChildProgram(void);

#endif
