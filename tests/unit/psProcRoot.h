/* SPDX-License-Identifier: EPICS */
/** @file psProcRoot.h
 *  @brief A directory like /proc, for tests. */
#ifndef INC_psProcRoot_H
#define INC_psProcRoot_H

typedef struct psProcRoot {
    char dir[64];
} psProcRoot;

void psProcRootOpen(psProcRoot *root);
/** Remove it with all that is in it. */
void psProcRootClose(psProcRoot *root);
/** Write ROOT/PID/FILE. */
void psProcRootWrite(const psProcRoot *root, const char *pid, const char *file, const char *text);
/** Make ROOT/PID/fd with so many entries. */
void psProcRootFds(const psProcRoot *root, const char *pid, int count);
/** Remove ROOT/PID. */
void psProcRootRemove(const psProcRoot *root, const char *pid);

#endif
