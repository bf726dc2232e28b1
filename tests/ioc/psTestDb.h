/* SPDX-License-Identifier: EPICS */
/** @file psTestDb.h
 *  @brief What tests of records share: texts of fields, and waiting for them. */
#ifndef INC_psTestDb_H
#define INC_psTestDb_H

#define PS_TEST_SEC 20.0 /* nothing here takes so long */

/** Monotonic now, s. */
double psTestNow(void);
/** A field as text, "rec.VAL$" as a long one; valid until the next call. */
const char *psTestText(const char *name);
/** Wait until the field is @p wanted: a point of the plan. */
void psTestBecomes(const char *name, const char *wanted);

#endif
