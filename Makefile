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

UNINSTALL_DIRS += $(INSTALL_LOCATION)/man

include $(TOP)/configure/RULES_TOP
