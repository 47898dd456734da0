#!/usr/bin/env bash
# Starts a broker of Kafka in KRaft mode, alone, for tests and for trying things: scripts/kafka-broker.sh FOLDER PORT
#
# FOLDER holds its data, which a next start goes on with; PORT and the one after it are its own. It needs the tool `kafka`:
# scripts/setup-tools.sh kafka. It runs in this process, so that a signal to it is one to the broker.
set -euo pipefail

folder="$1" port="$2"
kafka="${ASSAY_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/assay-tools}/bin/kafka"
mkdir -p "$folder"
cat >"$folder/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$folder/data
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A broker that was killed is itself again after this, and a dead producer's transaction ended.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
PROPERTIES
cat >"$folder/log4j2.properties" <<PROPERTIES
rootLogger.level=error
rootLogger.appenderRefs=console
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
PROPERTIES
export KAFKA_OPTS="-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=$folder/log4j2.properties"
if [ ! -e "$folder/data" ]; then
  "$kafka" kafka.tools.StorageTool format --cluster-id MkU3OEVBNTcwNTJENDM2Qk --config "$folder/server.properties" >&2
fi
exec "$kafka" kafka.Kafka "$folder/server.properties"
