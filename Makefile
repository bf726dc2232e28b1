# SPDX-License-Identifier: EPICS
TOP = .
include $(TOP)/configure/CONFIG

DIRS += configure

DIRS += procServApp
procServApp_DEPEND_DIRS = configure

DIRS += iocBoot
iocBoot_DEPEND_DIRS = procServApp

DIRS += tests
tests_DEPEND_DIRS = procServApp

include $(TOP)/configure/RULES_TOP
