/* SPDX-License-Identifier: EPICS */
/** @file psKey.h
 *  @brief Keys as people write them: ^X notation.  Pure.
 */
#ifndef INC_psKey_H
#define INC_psKey_H

#include <stdbool.h>

/** A key as people write it: ^X for 1 to 31, ^? for 127, else the character itself.
 *  @param out 2 characters at most, and a NUL */
void psKeyPrint(unsigned char key, char out[3]);

/** Read one key.
 *
 *  ^A to ^Z (in either case), ^[ ^\ ^] ^_ ^? and ^@ are control characters; everything else
 *  stands for itself, and "" is 0, which means that the key is disabled.  ^^ is the character ^,
 *  as in procServ, so that it can be written at all.
 *  @param end if not NULL, *end is set after what was read */
unsigned char psKeyParse(const char *text, const char **end);

/** Read the next character of a text in that notation.
 *  @param text moved past it
 *  @return false at the end of the text */
bool psKeyNext(const char **text, unsigned char *out);

#endif
