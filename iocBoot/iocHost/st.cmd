#!../../bin/linux-x86_64/procServIoc --script
# SPDX-License-Identifier: EPICS
#
# Three processes of a host in one IOC: one supervisor, one PV server, a console each.
#
#   ../../bin/linux-x86_64/procServIoc -f --script st.cmd
#
# in this folder.  Then: telnet 127.0.0.1 20001; caget motors:PS:State vacuum:PS:State
# Other ports: export MOTORS_PORT, VACUUM_PORT, LOGGER_PORT.

< envPaths

# The soft IOCs would all be found on the same address: each gets one of its own of the loopback.
procServAdd("motors", "-P 127.0.0.1:$(MOTORS_PORT=20001) -- /usr/bin/env EPICS_CAS_INTF_ADDR_LIST=127.0.0.2 $(EPICS_BASE)/bin/$(ARCH)/softIoc -m P=motors: -d $(TOP)/iocBoot/quickstart/ioc.db")
procServAdd("vacuum", "-P 127.0.0.1:$(VACUUM_PORT=20002) -- /usr/bin/env EPICS_CAS_INTF_ADDR_LIST=127.0.0.3 $(EPICS_BASE)/bin/$(ARCH)/softIoc -m P=vacuum: -d $(TOP)/iocBoot/quickstart/ioc.db")

# Anything that runs: started by hand only, tried again after a failure only.
procServAdd("logger", "-P 127.0.0.1:$(LOGGER_PORT=20003) --wait --restart-mode OnFailure -- /bin/sh -c 'while date; do sleep 10; done'")

dbLoadRecords("$(TOP)/db/psChildAll.template", "P=motors:PS:,CHILD=motors")
dbLoadRecords("$(TOP)/db/psChildAll.template", "P=vacuum:PS:,CHILD=vacuum")
dbLoadRecords("$(TOP)/db/psChildAll.template", "P=logger:PS:,CHILD=logger,STOPPED_SEVR=NO_ALARM")

iocInit

procServReport(0)
