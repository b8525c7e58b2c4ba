#!/bin/sh
# Installs what the emulator tests need into the user's cache, which all clones
# share: AWS's Runtime Interface Emulator, a Python with Lambda's runtime client,
# moto and the AWS CLI, Lambda's runtime clients for Node.js and Java, what the
# documentation's snippets import. What is there already stays, and so does what
# AWS_LAMBDA_RIE or E2E_PYTHON names outside the cache. Needs Linux, and Python 3 with
# venv; leaves out what there is no npm or mvn for.
set -eu
cd "$(dirname "$0")/.."
. scripts/patiently.sh
cache=${XDG_CACHE_HOME:-$HOME/.cache}/secretwrap
mkdir -p "$cache"

# install_python makes a virtual environment with the pinned packages.
install_python() {
  if cmp -s scripts/e2e-requirements.txt "$cache/venv/installed.txt"; then
    echo "Python packages: there"
    return
  fi
  echo "Python packages: installing into $cache/venv"
  python3 -m venv --clear "$cache/venv"
  patiently "$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary :all: -r scripts/e2e-requirements.txt
  cp scripts/e2e-requirements.txt "$cache/venv/installed.txt"
}

# install_node_client builds the runtime client for Node.js, which takes more than a
# minute, and keeps the little of it that runs.
install_node_client() {
  version=3.3.0
  if grep -q "\"version\": \"$version\"" "$cache/aws-lambda-ric/package.json" 2>/dev/null; then
    echo "runtime client for Node.js: there"
    return
  fi
  for command in npm cmake autoreconf libtoolize make c++; do
    if ! command -v "$command" >/dev/null; then
      echo "runtime client for Node.js: left out, there is no $command"
      return
    fi
  done
  echo "runtime client for Node.js: building as $cache/aws-lambda-ric, a minute or two"
  build=$(mktemp -d)
  if ! patiently npm install --silent --no-audit --no-fund --no-save --prefix "$build" "aws-lambda-ric@$version"; then
    rm -rf "$build"
    return 1
  fi
  rm -rf "$cache/aws-lambda-ric"
  mkdir "$cache/aws-lambda-ric"
  for part in bin dist package.json; do
    cp -R "$build/node_modules/aws-lambda-ric/$part" "$cache/aws-lambda-ric"
  done
  rm -rf "$build"
}

# install_java_client fetches the runtime client for Java.
install_java_client() {
  if cmp -s e2e/handlers/java/pom.xml "$cache/java/installed.xml"; then
    echo "runtime client for Java: there"
    return
  fi
  if ! command -v mvn >/dev/null; then
    echo "runtime client for Java: left out, there is no mvn"
    return
  fi
  echo "runtime client for Java: installing into $cache/java"
  rm -rf "$cache/java"
  patiently mvn --quiet --batch-mode --file e2e/handlers/java/pom.xml dependency:copy-dependencies "-DoutputDirectory=$cache/java"
  cp e2e/handlers/java/pom.xml "$cache/java/installed.xml"
}

# install_node_packages installs what the documentation's examples in Node.js import.
install_node_packages() {
  packages="@aws-sdk/client-secrets-manager@3.1164.0 dotenv@17.4.2"
  if [ "$(cat "$cache/node-examples/installed.txt" 2>/dev/null)" = "$packages" ]; then
    echo "packages of the examples in Node.js: there"
    return
  fi
  if ! command -v npm >/dev/null; then
    echo "packages of the examples in Node.js: left out, there is no npm"
    return
  fi
  echo "packages of the examples in Node.js: installing into $cache/node-examples"
  rm -rf "$cache/node-examples"
  mkdir "$cache/node-examples"
  # shellcheck disable=SC2086 # The packages are words.
  patiently npm install --silent --no-audit --no-fund --no-save --prefix "$cache/node-examples" $packages
  echo "$packages" >"$cache/node-examples/installed.txt"
}

# install_emulator takes the emulator $1 with the checksum $2 out of the release
# of the SAM CLI that bundles it.
install_emulator() {
  if echo "$2  $cache/aws-lambda-rie" | sha256sum --check --status 2>/dev/null; then
    echo "emulator: there"
    return
  fi
  echo "emulator: installing as $cache/aws-lambda-rie"
  download=$(mktemp -d)
  trap 'rm -rf "$download"' EXIT
  patiently "${E2E_PYTHON:-$cache/venv/bin/python}" -m pip download --quiet --disable-pip-version-check \
    --only-binary :all: --no-deps --dest "$download" aws-sam-cli==1.170.0
  python3 -m zipfile -e "$download"/*.whl "$download"
  echo "$2  $download/samcli/local/rapid/$1" | sha256sum --check --quiet
  install -D -m 755 "$download/samcli/local/rapid/$1" "$cache/aws-lambda-rie"
}

if [ -z "${E2E_PYTHON:-}" ]; then
  install_python
fi
install_node_client
install_java_client
install_node_packages
if [ -n "${AWS_LAMBDA_RIE:-}" ]; then
  exit
fi
case $(uname -sm) in
"Linux x86_64")
  install_emulator aws-lambda-rie-x86_64 6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5
  ;;
"Linux aarch64")
  install_emulator aws-lambda-rie-arm64 ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21
  ;;
*)
  echo "the emulator runs on Linux on x86_64 and arm64, not on $(uname -sm)" >&2
  exit 1
  ;;
esac
