# The client of test/conformance/java-client, built with Maven.
# shellcheck shell=bash disable=SC2154
java_client="$root/test/conformance/java-client"

# Its version is a digest of its sources, so that a changed line builds it anew.
tool java-client "$(cat "$java_client/pom.xml" "$java_client"/src/main/java/*.java | sha256sum | cut -c1-12)" java
install_java_client() {
  command -v mvn >/dev/null || fail "java-client is built with Maven, and there is no mvn command. Install Maven and a JDK 17 or newer."
  cp -r "$java_client" "$1/source"
  nice mvn --batch-mode --quiet --file "$1/source/pom.xml" package
  mkdir "$1/lib"
  mv "$1"/source/target/*.jar "$1"/source/target/lib/*.jar "$1/lib"
  rm -r "$1/source"
  printf '#!/bin/sh\nexec java -cp "%s/lib/*" JavaClient "$@"\n' "$1" >"$1/java-client"
  chmod +x "$1/java-client"
}
