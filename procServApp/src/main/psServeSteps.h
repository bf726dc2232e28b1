/* SPDX-License-Identifier: EPICS */
/** @file psServeSteps.h
 *  @brief The steps from nothing to a running IOC, shared by the server and its trial.  C++.
 *
 *  One IOC in a process, hence one state.  A step that does not succeed throws Failure with one
 *  line for the user.  Thread: the one that builds the IOC, unless told otherwise.
 */
#ifndef INC_psServeSteps_H
#define INC_psServeSteps_H

#include <exception>
#include <string>

#include <epicsMutex.h>

#include "psServe.h"

namespace psSteps
{

class Failure : public std::exception
{
    std::string text;

  public:
    explicit Failure(const std::string &text_) : text(text_)
    {
    }
    ~Failure() throw()
    {
    }
    const char *what() const throw()
    {
        return text.c_str();
    }
};

class Guard
{
    epicsMutexId id;

  public:
    explicit Guard(epicsMutexId id_) : id(id_)
    {
        epicsMutexMustLock(id);
    }
    ~Guard()
    {
        epicsMutexUnlock(id);
    }
};

/** Listen to errlog: Base explains itself only there. */
void listen();
void unlisten();
/** Is Base's chatter ("Starting iocInit") for standard error? */
void chatter(bool on);

/** What is being done, for a person; forgets earlier errors. */
void begin(const char *step);
/** Thread: any. */
std::string now();
/** The first line of errlog since begin() that tells of an error; "": none.  Thread: any. */
std::string firstError();
/** Throw @p what with firstError(). */
void fail(const std::string &what);
/** What Base throws may bring a whole stack trace along. */
std::string firstLine(const char *text);

void ownChecks(const psServeOptions &options);
/** What ownChecks() did with the environment at the start; a script may have changed it. */
void checkNetwork();
void loadDefinitions();
void loadRecords(const psServeOptions &options);
void setAccess(const char *file);
/** Run the trial of these files; throws what is wrong with them.  Blocks: up to its deadline. */
void tryFiles(const psServeOptions &files);
/** Choose the access security file: the one of @p options, or the closed rules if it is bad; from
 *  then on the shell's asInit reads it again, after a trial.
 *  @return a line to be told, or "" */
std::string prepareAccess(const psServeOptions &options);
void runScript(const char *script);

/** Let IOC shell commands of the list, which ends with NULL, do nothing. */
void disarm(const char *const *names);

} // namespace psSteps

#endif
