#!/usr/bin/env bash
# Starts a broker of Kafka in KRaft mode for tests and for trying things: scripts/kafka-broker.sh FOLDER PORT [MORE …]
#
# FOLDER holds its data, which a next start goes on with; PORT and the one after it are its own. It needs the tool `kafka`:
# scripts/setup-tools.sh kafka. It runs in this process, so that a signal to it is one to the broker.
#
#   NAME=VALUE   a property of the broker, which stands over those below
#   --FLAG=VALUE of the tool that makes the folder's storage, such as --add-scram='SCRAM-SHA-256=[name=me,password=secret]'
#   PORT         of each broker of a cluster, all of them, this one among them: three make one that goes on without any of them
set -euo pipefail

folder="$1" port="$2"
shift 2
kafka="${ASSAY_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/assay-tools}/bin/kafka"
properties=() format=() ports=()
for one in "$@"; do
  case "$one" in
    --*) format+=("$one") ;;
    *=*) properties+=("$one") ;;
    *) ports+=("$one") ;;
  esac
done
if [ ${#ports[@]} = 0 ]; then ports=("$port"); fi
node=0 voters=
for i in "${!ports[@]}"; do
  if [ "${ports[$i]}" = "$port" ]; then node=$((i + 1)); fi
  voters="$voters,$((i + 1))@127.0.0.1:$((ports[i] + 1))"
done
# Of one broker there is one copy; of three each record lies on two before it counts.
copies=$((${#ports[@]} < 3 ? 1 : 3))
least=$((copies < 3 ? 1 : 2))
mkdir -p "$folder"
cat >"$folder/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=$node
controller.quorum.voters=${voters#,}
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$folder/data
auto.create.topics.enable=false
default.replication.factor=$copies
min.insync.replicas=$least
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$least
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$least
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A broker that was killed is itself again after this, and a dead producer's transaction ended.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
PROPERTIES
if [ ${#properties[@]} -gt 0 ]; then printf '%s\n' "${properties[@]}" >>"$folder/server.properties"; fi
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
  "$kafka" kafka.tools.StorageTool format --cluster-id MkU3OEVBNTcwNTJENDM2Qk \
    --config "$folder/server.properties" "${format[@]}" >&2
fi
exec "$kafka" kafka.Kafka "$folder/server.properties"
