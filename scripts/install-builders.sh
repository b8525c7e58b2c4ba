#!/bin/sh
# Installs the builders whose functions are tried with the layer, and what checks the
# examples and the release, into the user's cache, which all clones share: the SAM CLI,
# cargo-lambda, linters, moto, the CDK with TypeScript, CycloneDX's library. What is
# there already stays. Needs Python 3 with venv; without Node.js the CDK is left out.
set -eu
cd "$(dirname "$0")/.."
. scripts/patiently.sh
builders=${XDG_CACHE_HOME:-$HOME/.cache}/secretwrap/builders
cdk="aws-cdk-lib@2.276.0 constructs@10.8.1 @aws-cdk/aws-lambda-go-alpha@2.258.0-alpha.0 cargo-lambda-cdk@0.0.36 aws-cdk@2.1148.1 typescript@5.9.3 @types/node@22.20.5"
mkdir -p "$builders"

# install_python makes a virtual environment with the pinned packages.
install_python() {
  if cmp -s scripts/builders-requirements.txt "$builders/venv/installed.txt"; then
    echo "Python packages of builders: there"
    return
  fi
  echo "Python packages of builders: installing into $builders/venv"
  python3 -m venv --clear "$builders/venv"
  patiently "$builders/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary :all: --no-deps -r scripts/builders-requirements.txt
  cp scripts/builders-requirements.txt "$builders/venv/installed.txt"
}

# install_cdk installs the CDK, its library with constructs for Go and Rust, and
# TypeScript.
install_cdk() {
  if ! command -v npm >/dev/null; then
    echo "CDK: left out, there is no npm"
    return
  fi
  if [ "$(cat "$builders/cdk/installed.txt" 2>/dev/null)" = "$cdk" ]; then
    echo "CDK: there"
    return
  fi
  echo "CDK: installing into $builders/cdk"
  rm -rf "$builders/cdk"
  mkdir "$builders/cdk"
  # shellcheck disable=SC2086 # The packages are words.
  patiently npm install --silent --no-audit --no-fund --no-save --prefix "$builders/cdk" $cdk
  echo "$cdk" >"$builders/cdk/installed.txt"
}

# fetch_crates downloads what the function in Rust is built of.
fetch_crates() {
  if ! command -v cargo >/dev/null; then
    echo "crates: left out, there is no cargo"
    return
  fi
  echo "crates: fetching what is missing"
  patiently cargo fetch --quiet --locked --manifest-path e2e/handlers/rust/Cargo.toml
}

install_python
install_cdk
fetch_crates
