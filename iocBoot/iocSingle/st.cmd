#!../../bin/linux-x86_64/procServIoc --script
# SPDX-License-Identifier: EPICS
#
# One soft IOC supervised, from an IOC shell script: the same as
#
#   procServIoc -f -n single -P 127.0.0.1:20000 --holdoff 5 softIoc -d ../quickstart/ioc.db
#
# In this folder, in the foreground, so that ^C ends it:
#
#   ../../bin/linux-x86_64/procServIoc -d --script st.cmd
#
# Another port than 20000: export CONSOLE_PORT.
#
# Then: telnet 127.0.0.1 20000; caget single:PS:State; caput -c -w 30 single:PS:Restart 1

< envPaths

# Options as on the command line.  The process begins at iocInit; procServStart begins it earlier.
procServAdd("single", "-P 127.0.0.1:$(CONSOLE_PORT=20000) --holdoff 5 -- $(EPICS_BASE)/bin/$(ARCH)/softIoc -d $(TOP)/iocBoot/quickstart/ioc.db")

dbLoadRecords("$(TOP)/db/psChildAll.template", "P=single:PS:,CHILD=single")

# Access security is set already: commands for you, from this host.  To have your own file:
#asSetFilename("/etc/epics/site.acf")

iocInit

procServReport(1)
