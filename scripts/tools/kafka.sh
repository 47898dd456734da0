# A broker of Kafka, and its own tools; scripts/kafka-broker.sh starts it.
# shellcheck shell=bash disable=SC2154
tool kafka 4.4.0 pipelines
install_kafka() {
  command -v mvn >/dev/null || fail "kafka is fetched with Maven, and there is no mvn command. Install Maven and a JDK 17 or newer."
  mkdir "$1/source"
  cat >"$1/source/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>assay</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$2</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$2</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.3</version></dependency>
  </dependencies>
</project>
POM
  nice mvn --batch-mode --quiet --file "$1/source/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$1/lib"
  rm -r "$1/source"
  # CLASS ARGUMENT …: a class of Kafka's with what it needs; options of Java in KAFKA_OPTS.
  printf '#!/bin/sh\nexec java $KAFKA_OPTS -cp "%s/lib/*" "$@"\n' "$1" >"$1/kafka"
  chmod +x "$1/kafka"
}
